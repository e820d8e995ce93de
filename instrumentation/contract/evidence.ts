import type { JsonValue } from "../json/json.ts";
import type { ContentRule } from "./contract.ts";

/** What a call may do to the world. Everything but `read` counts as a mutation. */
export const SIDE_EFFECT_CLASSES = ["read", "write", "network", "browser", "account", "money"] as const;
export type SideEffectClass = (typeof SIDE_EFFECT_CLASSES)[number];

/** How a value was kept: whole, whole but for secrets, or as `sha256:<hex>;bytes=<n>` only. */
export type CaptureForm = "full" | "redacted" | "hash";

/** One try at a call. `waitMillis` is the pause before it. */
export interface Attempt {
  readonly status: "ok" | "error";
  readonly errorClass: string | null;
  readonly waitMillis: number;
}

/** One tool call as a span recorded it. */
export interface ToolCallEvidence {
  readonly spanId: string;
  readonly callId: string;
  readonly name: string;
  readonly sideEffect: SideEffectClass;
  /** `undefined` when the value was not captured. */
  readonly arguments: JsonValue | undefined;
  /** SHA-256 of the canonical arguments where only that was kept, else `null`. */
  readonly argumentsSha256: string | null;
  readonly result: JsonValue | undefined;
  /** `null` when the call succeeded; a failed call is taken to have changed nothing. */
  readonly errorClass: string | null;
  readonly attempts: readonly Attempt[];
  /** Durable reference the call produced, or `null`. */
  readonly reference: string | null;
  readonly startUnixNano: string;
  /** Nobody recorded the call: it was read off what the agent told its model. */
  readonly isInferred?: true;
}

/** An HTTP exchange that a client library tried more than once, without the agent's doing. */
export interface RetriedExchange {
  readonly spanId: string;
  readonly name: string;
  /** The same for every try at the same request. */
  readonly request: string;
  /** `null` when it came through. */
  readonly errorClass: string | null;
  readonly attempts: readonly Attempt[];
}

/** What a probe saw when it re-read an artifact while the run closed. */
export interface ArtifactObservation {
  readonly name: string;
  readonly kind: string;
  /** Where it is: path, URL, row key, message id. */
  readonly ref: string;
  /** `unchecked`: no probe exists for this kind, so nothing is known. */
  readonly state: "present" | "missing" | "unreadable" | "unchecked";
  readonly bytes: number | null;
  readonly sha256: string | null;
  /** Problems found against the contract's JSON Schema; `null` when no schema was checked. */
  readonly schemaErrors: readonly string[] | null;
  /** Why it is missing or unreadable. */
  readonly detail: string | null;
}

export interface PathObservation {
  readonly path: string;
  readonly exists: boolean;
  readonly bytes: number | null;
}

export interface VerificationObservation {
  readonly command: readonly string[];
  /** `null` when the command did not run or was killed. */
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  readonly outputTail: string;
  readonly outputSha256: string | null;
}

/** A claim is what the agent says. Claims alone decide nothing. */
export interface Claim {
  readonly outcome: "done" | "skipped" | "blocked";
  readonly detail: string;
}

/** What the whole answer said of a rule of the contract. */
export interface AnswerMatch {
  /** As the redacted contract has it. */
  readonly rule: ContentRule;
  readonly holds: boolean;
}

/** What `closeRun()` observed; travels on the root span and on the close record. */
export interface ClosingEvidence {
  readonly version: 1;
  readonly claim: Claim | null;
  /** The exception that ended the run, normalised; `null` for an ordinary end. */
  readonly error: { readonly errorClass: string; readonly message: string } | null;
  readonly artifacts: readonly ArtifactObservation[];
  readonly paths: readonly PathObservation[];
  /** Files changed in the contract's workspace; `null` when no diff was taken. */
  readonly changedPaths: readonly string[] | null;
  readonly state: { readonly before: JsonValue; readonly after: JsonValue } | null;
  readonly verification: VerificationObservation | null;
  /** What the run told its user, redacted; `null` when it told nothing. */
  readonly answer: string | null;
  /** Rules of the contract of which the redacted answer says something else than the whole one did. */
  readonly answerMatches?: readonly AnswerMatch[] | undefined;
  /** Tool calls the run made, so that a reader notices lost spans. */
  readonly toolCallCount: number;
  /** Steps (model and tool calls) the run took. */
  readonly stepCount: number;
  /** HTTP exchanges the run made, for the same reason. Absent: none, or not counted. */
  readonly exchangeCount?: number | undefined;
  /** Exchanges that came through after tries that failed. */
  readonly silentRetryCount?: number | undefined;
  /** What could not be observed, in words: "probe of report failed: …". */
  readonly gaps: readonly string[];
}

/** Why a started run never closed, as far as can be told. */
export const ABANDON_CAUSES = ["died", "clean_shutdown", "telemetry_lost", "unknown"] as const;
export type AbandonCause = (typeof ABANDON_CAUSES)[number];

/**
 * Everything known about one run: the input of `judge()`. The order of lists carries no meaning.
 */
export interface RunEvidence {
  readonly runId: string;
  readonly agentName: string;
  readonly phase: "open" | "abandoned" | "ended";
  readonly abandonCause: AbandonCause | null;
  /** Seconds from start to close; `null` while open. */
  readonly elapsedSeconds: number | null;
  readonly toolCalls: readonly ToolCallEvidence[];
  /** Recorded HTTP exchanges. Absent: none. */
  readonly exchangeCount?: number;
  readonly retriedExchanges?: readonly RetriedExchange[];
  /** `null` until the run closed. */
  readonly closing: ClosingEvidence | null;
  /** Facts that were expected and not found, in words. */
  readonly gaps: readonly string[];
  /** Another instrumentation recorded the run: no probe looked, and no class of a tool was declared where it is called. */
  readonly isUnprobed?: true;
  /** Strict replays only: what was tried that no recording covers, in words. All of it was refused. */
  readonly unrecordedOperations?: readonly string[] | undefined;
}
