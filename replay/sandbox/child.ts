/** Entry of the process that runs the agent's real code in a replay. Only `run-child.ts` starts it. */
import { instrumentHttp } from "../../instrumentation/auto/http/instrument-http.ts";
import { setCallInterceptor } from "../../instrumentation/capture/call-interceptor.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import { startChildTelemetry } from "./child-telemetry.ts";
import { createForwardedCalls } from "./forwarded-calls.ts";
import type { AgentOutcome, ToChild, ToParent } from "./messages.ts";
import type { TelemetryDoor } from "./strict/telemetry-door.ts";
import type { WitnessAddress } from "./strict/witness.ts";

type Start = Extract<ToChild, { type: "start" }>;
type AgentFunction = (input: JsonValue, state: JsonValue) => unknown;

const send = (message: ToParent): void => void process.send?.(message);
const calls = createForwardedCalls(send);

let door: TelemetryDoor | undefined;

process.on("message", (message: ToChild) => {
  if (message.type === "answer") calls.settle(message);
  else if (message.type === "otlp_reply") door?.settle(message);
  else if (message.type === "canary") void canary(message.witness);
  else void replay(message);
});
send({ type: "ready" });

async function canary(witness: WitnessAddress): Promise<void> {
  const { tryToGetOut } = await import("./strict/canary.ts");
  send({ type: "canary_result", open: await tryToGetOut(witness) });
}

/** Behind the wall: spans leave as messages, and refused operations get their meaning. */
async function enterStrict({ strict, tracesUrl }: Start): Promise<void> {
  if (strict === undefined) return;
  const [{ openTelemetryDoor }, { installGuard }] = await Promise.all([
    import("./strict/telemetry-door.ts"),
    import("./strict/guard.ts"),
  ]);
  door = openTelemetryDoor(tracesUrl, send);
  installGuard({ report: (attempt) => send({ type: "attempt", attempt }), native: strict.native });
}

async function replay(start: Start): Promise<void> {
  const prepared = await prepare(start).catch((error: unknown) => messageOf(error));
  if (typeof prepared === "string")
    return send({ type: "outcome", outcome: { type: "not_started", message: prepared } });
  const outcome = await callAgent(prepared.agent, start);
  await prepared.flush();
  // What is still on its way out of this process would die with it.
  await Promise.all([written(process.stdout), written(process.stderr)]);
  send({ type: "outcome", outcome });
}

async function prepare(start: Start): Promise<{ agent: AgentFunction; flush: () => Promise<void> }> {
  await enterStrict(start);
  // Before the agent's module: what it sets up while loading must meet our SDK and our answers.
  const { flush } = await startChildTelemetry(start.tracesUrl);
  setCallInterceptor(calls.interceptor);
  instrumentHttp();
  const module = (await import(start.module)) as Record<string, unknown>;
  const agent = module[start.exportName];
  if (typeof agent === "function") return { agent: agent as AgentFunction, flush };
  const functions = Object.keys(module).filter((name) => typeof module[name] === "function");
  throw new Error(
    `the agent's module has no function "${start.exportName}"; it exports ${functions.join(", ") || "no function"}`,
  );
}

async function callAgent(agent: AgentFunction, start: Start): Promise<AgentOutcome> {
  try {
    await agent(start.input, start.state);
    return { type: "returned" };
  } catch (error) {
    const name = error instanceof Error ? error.name : "Error";
    return { type: "threw", error: { name, message: messageOf(error).slice(0, 10_000) } };
  }
}

const written = (stream: NodeJS.WriteStream): Promise<void> => new Promise((done) => stream.write("", () => done()));

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
