/** Entry of a process that waits for a replay with everything loaded but the agent. Only `child-pool.ts` starts it. */
import { type CallInterceptor, setCallInterceptor } from "../../instrumentation/capture/call-interceptor.ts";
import { resetRuntime } from "../../instrumentation/runtime.ts";
import { agentFunction, callAgent, messageOf, outputWritten } from "./call-agent.ts";
import { type ChildTelemetry, startChildTelemetry } from "./child-telemetry.ts";
import { enterInheritedWorld } from "./determinism/inherited-world.ts";
import { createForwardedCalls, type ForwardedCalls } from "./forwarded-calls.ts";
import { type FreshAgentModules, freshAgentModules } from "./fresh-agent-modules.ts";
import type { AgentOutcome } from "./messages.ts";
import type { FromPooledChild, ToPooledChild } from "./pooled-messages.ts";
import { hookStacks } from "./stack-hooks.ts";
import { type ProcessWatch, watchProcess } from "./process-residue.ts";

type Begin = Extract<ToPooledChild, { type: "begin" }>;

/** What stays from one replay to the next. */
interface Warm {
  readonly telemetry: ChildTelemetry;
  readonly modules: FreshAgentModules;
  readonly watch: ProcessWatch;
}

const send = (message: FromPooledChild): void => void process.send?.(message);
let calls: ForwardedCalls | undefined;

process.on("message", (message: ToPooledChild) => {
  if (message.type === "answer") calls?.settle(message);
  else void replay(message);
});
const warm = warmUp(process.argv[2] ?? "");
// A missing peer is told to the replay that needs it.
await warm.catch(() => {});
send({ type: "ready" });

async function warmUp(tracesUrl: string): Promise<Warm> {
  const telemetry = await startChildTelemetry(tracesUrl);
  // What nearly every agent imports.
  const { instrumentHttp } = await import("../../instrumentation/index.ts");
  instrumentHttp();
  hookStacks();
  const modules = freshAgentModules();
  return { telemetry, modules, watch: watchProcess() };
}

async function replay({ start, env, cwd }: Begin): Promise<void> {
  calls = createForwardedCalls(send);
  const counted = countedCalls(calls.interceptor);
  const outcome = await run(start, { env, cwd, interceptor: counted.interceptor }).catch(
    (error: unknown): AgentOutcome => ({ type: "not_started", message: messageOf(error) }),
  );
  await warm.then(({ telemetry }) => telemetry.flush()).catch(() => {});
  await outputWritten();
  send({ type: "outcome", outcome });
  send({ type: "rested", residue: await residueOf(counted) });
}

type Place = Pick<Begin, "env" | "cwd"> & { readonly interceptor: CallInterceptor };

async function run(start: Begin["start"], place: Place): Promise<AgentOutcome> {
  const { modules } = await warm;
  setEnvironment(place.env);
  enterInheritedWorld();
  process.chdir(place.cwd);
  process.exitCode = undefined;
  modules.begin();
  setCallInterceptor(place.interceptor);
  return await callAgent(await agentFunction(start), start);
}

/** Ends what belongs to the replay, and says what cannot be ended. */
async function residueOf(counted: CountedCalls): Promise<string[]> {
  try {
    const { watch } = await warm;
    resetRuntime();
    setCallInterceptor(undefined);
    return [...watch.residue(), ...(counted.waiting() > 0 ? ["a call without its answer"] : [])];
  } catch (error) {
    return [messageOf(error)];
  }
}

interface CountedCalls {
  readonly interceptor: CallInterceptor;
  waiting(): number;
}

/** Work of an agent that nobody awaited is seen by the answers it still waits for. */
function countedCalls(interceptor: CallInterceptor): CountedCalls {
  let waiting = 0;
  return {
    interceptor: async (request) => {
      waiting++;
      try {
        return await interceptor(request);
      } finally {
        waiting--;
      }
    },
    waiting: () => waiting,
  };
}

/** Names are set one by one: time zone and the like follow the assignment. */
function setEnvironment(env: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env)) if (!Object.hasOwn(env, name)) delete process.env[name];
  Object.assign(process.env, env);
}
