import type { RunContract } from "../../instrumentation/contract/contract.ts";
import type { RunEvidence } from "../../instrumentation/contract/evidence.ts";
import type { RunType } from "../../instrumentation/contract/run-record.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import type { Completeness } from "./dialect/index.ts";
import type { RecordedCall } from "./recorded-call.ts";

/** What the stored spans of one run say, normalised. A pure function of the spans: see `run-facts-from-spans.ts`. */
export interface RunFacts {
  readonly runId: string;
  readonly parentRunId: string;
  readonly traceId: string;
  readonly rootSpanId: string;
  readonly agentName: string;
  readonly runType: RunType;
  readonly fixtureId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly codeVersion: string;
  readonly model: string;
  readonly promptVersion: string;
  readonly timeoutSeconds: number;
  readonly serviceName: string;
  readonly project: string;
  /** The task's input as captured (redacted); `undefined` when it was not captured. */
  readonly input: JsonValue | undefined;
  readonly inputSha256: string;
  /** State payloads by name, as captured; `undefined` when there were none or they were not captured. */
  readonly state: JsonValue | undefined;
  /** Nanoseconds since the epoch, decimal text; `null` while no span told it. */
  readonly startUnixNano: string | null;
  readonly closeUnixNano: string | null;
  readonly contract: RunContract | null;
  readonly contractSha256: string;
  /** Why the contract on the spans could not be used; `null` when it could or there was none. */
  readonly contractProblem: string | null;
  readonly evidence: RunEvidence;
  readonly calls: readonly RecordedCall[];
  /** Calls of the sub-agents' runs inside this one, at any depth: a replay runs their code too. */
  readonly subRunCalls?: readonly RecordedCall[];
  /** Call path of this run within the outermost run of its process; `''` for that one. Its calls' paths begin with it. */
  readonly path?: string;
  /** IANA time zone and BCP 47 locale of the process; `''` when it did not tell. */
  readonly timeZone?: string;
  readonly locale?: string;
  /** Of a trace of another instrumentation: how far it goes. */
  readonly completeness?: Completeness;
  /** The run has ended and tells of content that has not come: events may be on their way. */
  readonly awaitsContent?: boolean;
  /** Distinct spans (and events, where these tell of calls) the facts were folded from: the second part of a verdict's version. */
  readonly factCount: number;
}
