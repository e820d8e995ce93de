/** Entry of the process that runs the agent's real code in a replay. Only `run-child.ts` starts it. */
import { instrumentHttp } from "../../instrumentation/auto/http/instrument-http.ts";
import { setCallInterceptor } from "../../instrumentation/capture/call-interceptor.ts";
import { type AgentFunction, agentFunction, callAgent, messageOf, outputWritten } from "./call-agent.ts";
import { startChildTelemetry } from "./child-telemetry.ts";
import { createForwardedCalls } from "./forwarded-calls.ts";
import type { ToChild, ToParent } from "./messages.ts";
import type { TelemetryDoor } from "./strict/telemetry-door.ts";
import { hookStacks } from "./stack-hooks.ts";
import type { WitnessAddress } from "./strict/witness.ts";

type Start = Extract<ToChild, { type: "start" }>;

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
  await outputWritten();
  send({ type: "outcome", outcome });
}

async function prepare(start: Start): Promise<{ agent: AgentFunction; flush: () => Promise<void> }> {
  await enterStrict(start);
  // Before the agent's module: what it sets up while loading must meet our SDK and our answers.
  const { flush } = await startChildTelemetry(start.tracesUrl);
  setCallInterceptor(calls.interceptor);
  instrumentHttp();
  hookStacks();
  return { agent: await agentFunction(start), flush };
}
