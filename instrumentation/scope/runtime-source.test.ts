import { describe, expect, it } from "vitest";
import { projectRuntimeSource } from "./project-scope.ts";
import { createRuntimeSource } from "./runtime-source.ts";
import { createScopeResolver } from "./scope-resolver.ts";
import { readSource } from "./scope-snapshot.ts";

const read = (flag: string | undefined, value: string | undefined) =>
  createRuntimeSource({ flag, env: value === undefined ? {} : { SCOPE: value }, variable: "SCOPE" }).read(
    new AbortController().signal,
  );

describe("the runtime override", () => {
  it("is the flag, else the variable, else absent", () => {
    expect(read("a", undefined)).toMatchObject({ kind: "present", scope: "a" });
    expect(read(undefined, "b")).toMatchObject({ kind: "present", scope: "b" });
    expect(read(undefined, undefined)).toMatchObject({ kind: "absent" });
  });

  it("tells of a variable that says something else than the flag, and has another version with it", () => {
    expect(read("a", "b")).toMatchObject({ scope: "a", shadowed: ["b"] });
    expect(read("a", "a")).not.toHaveProperty("shadowed");
    expect(read("a", "b")).not.toHaveProperty("version", (read("a", "c") as { version: string }).version);
  });

  it("is unreadable, and so nothing is resolved, when a script left the variable empty", async () => {
    const runtime = createRuntimeSource({ env: { SCOPE: "" }, variable: "SCOPE" });
    expect(await readSource("runtime", runtime, 1_000)).toMatchObject({ kind: "unreadable" });
    const resolver = createScopeResolver({
      sources: { runtime },
      authorize: () => ({ allowed: true }),
      policy: { fallback: { kind: "fixed", scope: "production" } },
    });
    expect(await resolver.withScope("x", () => "done")).toMatchObject({ kind: "refused", code: "unresolved" });
  });

  it("is read anew each time", () => {
    const env: Record<string, string> = { SCOPE: "a" };
    const source = createRuntimeSource({ env, variable: "SCOPE" });
    env["SCOPE"] = "b";
    expect(source.read(new AbortController().signal)).toMatchObject({ scope: "b" });
  });

  it("of runproof itself is not set when its variable is empty, as everywhere in runproof", () => {
    const of = (value: string) => projectRuntimeSource(undefined, { RUNPROOF_PROJECT: value });
    expect(of(" ").read(new AbortController().signal)).toMatchObject({ kind: "absent" });
    expect(of(" shop ").read(new AbortController().signal)).toMatchObject({ kind: "present", scope: "shop" });
  });
});
