import { setCallInterceptor, type CallInterceptor } from "../../../../instrumentation/capture/call-interceptor.ts";
import {
  configure,
  defineContract,
  instrumentHttp,
  withRun,
  type RunproofOptions,
} from "../../../../instrumentation/index.ts";
import type { RecordedCall } from "../../../../processor/evidence/recorded-call.ts";
import { runFactsFromSpans } from "../../../../processor/evidence/run-facts-from-spans.ts";
import { interactionsFromCalls } from "../../../fixture/interactions-from-calls.ts";
import { answeredCall } from "../../../sandbox/answered-call.ts";
import { createForwardedCalls } from "../../../sandbox/forwarded-calls.ts";
import { openOtlpTap } from "../../../sandbox/otlp-tap.ts";
import type { IgnoreRule } from "../../cassette.ts";
import { createPlayer, type Player, type PlayerReport } from "../../player.ts";

const contract = defineContract({ agent: "http-agent" });

export interface Recording<Result> {
  readonly result: Result;
  readonly calls: readonly RecordedCall[];
}

/** Does the work inside a run and gives what it came to and the calls that the store would hold of it. */
export async function recordWork<Result>(
  work: () => Promise<Result>,
  options: RunproofOptions = {},
): Promise<Recording<Result>> {
  const tap = await openOtlpTap();
  configure({ redactionKey: "k", ...options, endpoint: `${tap.url}/v1/traces`, stateDirectory: null });
  const undo = instrumentHttp();
  try {
    let runId = "";
    const result = await withRun(contract, (run) => ((runId = run.runId), work()));
    const { calls } = runFactsFromSpans(runId, tap.rows);
    return { result: result as Result, calls };
  } finally {
    undo();
    configure({ endpoint: null, stateDirectory: null });
    await tap.close();
  }
}

export interface Replayed<Result> extends Recording<Result> {
  readonly report: PlayerReport;
}

/** Does the work again, answered from recorded calls the way a replay's process is. */
export async function replayWork<Result>(
  work: () => Promise<Result>,
  recorded: readonly RecordedCall[],
  ignore: IgnoreRule[] = [],
): Promise<Replayed<Result>> {
  const player = createPlayer({ interactions: interactionsFromCalls(recorded), ignore });
  setCallInterceptor(interceptorOf(player));
  try {
    return { ...(await recordWork(work)), report: player.report() };
  } finally {
    setCallInterceptor(undefined);
  }
}

/** Both ends of the channel between a replay and its process, with JSON between them. */
function interceptorOf(player: Player): CallInterceptor {
  const calls = createForwardedCalls((message) => {
    const sent = JSON.parse(JSON.stringify(message)) as typeof message;
    if (sent.type === "call") setImmediate(() => calls.settle(answeredCall(player, sent)));
  });
  return calls.interceptor;
}
