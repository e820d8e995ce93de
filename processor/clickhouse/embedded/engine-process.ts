/** Entry of the child process that owns the data directory. Started by the supervisor, which talks to it over IPC. */
import { createRunningEngine, EngineStartError, type RunningEngine } from "./running-engine.ts";
import type { FromEngine, ToEngine } from "./engine-messages.ts";

/** Running statements get this long after a shutdown was asked for; then they are killed, never abandoned. */
const DRAIN_MILLIS = 8_000;

let engine: Promise<RunningEngine> | undefined;
let isStopping = false;

function report(message: FromEngine): Promise<void> {
  return new Promise((resolve) => {
    if (process.send && process.connected) process.send(message, () => resolve());
    else resolve();
  });
}

async function start(message: Extract<ToEngine, { type: "start" }>): Promise<void> {
  engine = createRunningEngine(message, {
    onRoom: (room, space) => void report({ type: "room", room, space }),
    onDamage: (parts) => void report({ type: "damaged", parts }),
  });
  try {
    const { port, version, detached } = await engine;
    await report({ type: "ready", port, version, detached });
  } catch (error) {
    const code = error instanceof EngineStartError ? error.code : "start_failed";
    await report({ type: "failed", code, message: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  }
}

async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  const running = await engine?.catch(() => undefined);
  await running?.close(DRAIN_MILLIS);
  process.exit(0);
}

/** Over IPC, not HTTP: 256 readers that hold every connection must not make the engine look dead. */
async function probe(id: number, statement: boolean): Promise<void> {
  await report({ type: "alive", id, rssBytes: process.memoryUsage.rss() });
  if (!statement || isStopping) return;
  try {
    await (await engine)?.probe();
    await report({ type: "answered", id });
  } catch {
    // No answer says it: the supervisor waits for one, and not for ever.
  }
}

process.on("message", (message: ToEngine) => {
  if (message.type === "shutdown") void stop();
  else if (message.type === "probe") void probe(message.id, message.statement);
  else if (!engine) void start(message);
});
process.on("SIGTERM", () => void stop());
// The parent is gone, however it went: nobody would ever stop this process.
process.on("disconnect", () => void stop());
// A terminal's Ctrl-C is the parent's to handle: it still needs the engine to finish.
process.on("SIGINT", () => undefined);
if (!process.connected) {
  process.stderr.write("This process is started by runproof's embedded engine, not by hand.\n");
  process.exit(2);
}
