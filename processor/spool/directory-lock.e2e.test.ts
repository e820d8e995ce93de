import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { createSpoolDirectory } from "./testing/spool-directory.ts";

const CHILD = fileURLToPath(new URL("testing/spool-child.ts", import.meta.url));

/** Resolves to whether the child works in the directory or was refused. */
async function startChild(directory: string): Promise<{ child: ChildProcess; said: "ready" | "refused" }> {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", CHILD, directory, "x", "never", "1"],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const ready = once(child.stdout, "data").then(() => "ready" as const);
  const ended = once(child, "close").then(() => "refused" as const);
  const said = await Promise.race([ready, ended]);
  if (said === "refused") expect(errors).toContain("SPOOL_LOCKED");
  return { child, said };
}

async function killed({ child }: { child: ChildProcess }): Promise<void> {
  const closed = once(child, "close");
  if (child.kill("SIGKILL")) await closed;
}

it("names the process that has the directory and takes over when it was killed", async () => {
  const directory = await createSpoolDirectory();
  onTestFinished(() => directory.close());
  const first = await startChild(directory.path);
  expect(first.said).toBe("ready");
  await expect(directory.open()).rejects.toThrow(`in use by process ${first.child.pid}`);
  await killed(first);
  await directory.open();
});

it("never admits two that start at the same moment", async () => {
  const directory = await createSpoolDirectory();
  onTestFinished(() => directory.close());
  for (let round = 0; round < 4; round++) {
    const children = await Promise.all([1, 2, 3].map(() => startChild(directory.path)));
    expect(children.filter(({ said }) => said === "ready").length).toBeLessThanOrEqual(1);
    for (const child of children) if (child.said === "ready") await killed(child);
  }
});
