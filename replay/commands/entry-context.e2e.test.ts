import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";

const MODULE = new URL("entry-context.ts", import.meta.url).href;

/** A command that notes the first signal and would take an hour to end in order. */
const SCRIPT = `
  const { entryContext } = await import(${JSON.stringify(MODULE)});
  const context = entryContext(process);
  context.signal.addEventListener("abort", () => console.log("stopping"));
  setTimeout(() => {}, 3_600_000);
  console.log("ready");`;

describe("a command that was asked to stop", () => {
  it.each([
    ["SIGTERM", "SIGTERM"],
    ["SIGINT", "SIGINT"],
    ["SIGTERM", "SIGINT"],
    ["SIGINT", "SIGTERM"],
  ] as const)("by %s ends at once at a following %s, with a code of its own", async (first, second) => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", SCRIPT], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    let said = "";
    for await (const chunk of child.stdout.setEncoding("utf8")) {
      said += String(chunk);
      if (said === "ready\n") child.kill(first);
      if (said.includes("stopping")) child.kill(second);
    }
    expect(said).toBe("ready\nstopping\n");
    expect(await ended).toEqual([130, null]);
  });
});
