import type { Span, Tracer } from "@opentelemetry/api";
import type { RunContract } from "../contract/contract.ts";
import type { Claim } from "../contract/evidence.ts";
import type { Verdict } from "../contract/verdict.ts";
import type { JsonValue } from "../json/json.ts";
import type { GitBase, GitObservation } from "../probes/git-diff-probe.ts";
import type { Runtime } from "../runtime.ts";
import type { ArtifactInput } from "./record-artifact.ts";

/** One attempt of one agent at one task, open until `closeRun()`. */
export interface Run {
  readonly runId: string;
  /** 32 hex digits. */
  readonly traceId: string;
  /** Span id of the run's root span, 16 hex digits. */
  readonly rootSpanId: string;
  readonly contract: RunContract;
  /** Sets (or with `append`, adds a line to) what the run told its user. The contract's `answer` is checked on it. */
  setAnswer(text: string, options?: { readonly append?: boolean }): void;
  /** What the agent says of its own run. A claim is recorded and decides nothing by itself. */
  claim(outcome: Claim["outcome"], detail?: string): void;
}

/** How a run was closed. */
export interface ClosedRun {
  readonly runId: string;
  /** The verdict of this process's `RunSpanProcessor`; `null` without one, then the collector judges. */
  readonly verdict: Verdict | null;
}

/** Reads the state a contract speaks of; called when the run starts and again when it closes. */
export type StateReader = () => JsonValue | Promise<JsonValue>;

/** A run with what only this library needs. */
export interface ActiveRun extends Run {
  readonly runtime: Runtime;
  readonly span: Span;
  /** Of all spans of the run: tracing may be set up while it is open, and half a run tells another story. */
  readonly tracer: Tracer;
  /** False when no SDK will export the root span (none there, or sampled out): it goes out on the flush-now path. */
  readonly exported: boolean;
  /** Span the root span is a child of; `''` for none. */
  readonly parentSpanId: string;
  readonly parentRunId: string;
  /** Call path of a sub-agent's run within the outermost run of the process; `''` for that one. */
  readonly path: string;
  /** How many calls of each name were made directly under the run. */
  readonly ordinals: Map<string, number>;
  /** The run's attributes that every record of it repeats. */
  readonly recordAttributes: Readonly<Record<string, string | number>>;
  /** Canonical JSON of the redacted contract. */
  readonly contractText: string;
  readonly startUnixNano: bigint;
  /** Folder that relative paths of the contract start from. */
  readonly cwd: string;
  /** Folder whose git diff the contract speaks of. */
  readonly workspace: string;
  readonly artifacts: ArtifactInput[];
  /** Sends still under way; `closeRun()` waits for them, bounded. */
  readonly pending: Set<Promise<unknown>>;
  readonly readState: StateReader | undefined;
  stateBefore: JsonValue | undefined;
  gitBase: GitObservation<GitBase> | null;
  answer: string | null;
  claimed: Claim | null;
  toolCallCount: number;
  stepCount: number;
  /** HTTP exchanges that calls of kind `http` are recorded of. */
  exchangeCount: number;
  /** Exchanges that came through after tries that failed. */
  silentRetryCount: number;
  /** What went unobserved while the run was open. A set: a tool in a loop repeats itself. */
  readonly gaps: Set<string>;
  closing: Promise<ClosedRun> | undefined;
}
