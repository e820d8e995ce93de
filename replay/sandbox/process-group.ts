import type { ChildProcess } from "node:child_process";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** A process that left the group may hold the output pipes open; nobody waits for it longer than this. */
const OUTPUT_DEADLINE_MILLIS = 5_000;

/**
 * SIGKILL to a child that leads a process group and to everything it started. Resolves when the child is gone and its
 * output was read; safe to call again, and for a child that never started.
 */
export async function endProcessGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const isOver = child.exitCode !== null || child.signalCode !== null;
  const exited = isOver ? Promise.resolve() : new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const isRead = [child.stdout, child.stderr].map(async (stream) => {
    if (stream !== null && !stream.destroyed) await finished(stream).catch(() => {});
  });
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // No such group: all of it is gone already.
  }
  await exited;
  await Promise.race([Promise.all(isRead), sleep(OUTPUT_DEADLINE_MILLIS, undefined, { ref: false })]);
  child.stdout?.destroy();
  child.stderr?.destroy();
}
