import type { CallKind } from "../../instrumentation/capture/call-interceptor.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";

/** What parent and child tell each other, as JSON over the child's IPC channel. */
export type ToChild =
  | {
      readonly type: "start";
      /** File URL of the agent's module. */
      readonly module: string;
      readonly exportName: string;
      readonly input: JsonValue;
      readonly state: JsonValue;
      /** OTLP/HTTP traces endpoint of the parent. */
      readonly tracesUrl: string;
    }
  | ({ readonly type: "answer"; readonly id: number } & CallReply);

export type ToParent =
  | { readonly type: "ready" }
  | {
      readonly type: "call";
      readonly id: number;
      readonly kind: CallKind;
      readonly name: string;
      readonly path: string;
      /** Absent when the arguments are not JSON. */
      readonly arguments?: JsonValue;
    }
  | { readonly type: "outcome"; readonly outcome: AgentOutcome };

/** What the cassette says to one call. */
export type CallReply =
  | { readonly outcome: "returned"; readonly result: JsonValue; readonly attempts?: readonly RecordedAttempt[] }
  | { readonly outcome: "threw"; readonly error: RecordedError; readonly attempts?: readonly RecordedAttempt[] }
  | { readonly outcome: "missed"; readonly message: string };

export interface RecordedError {
  readonly name: string;
  readonly message: string;
  readonly class?: string | undefined;
}

export interface RecordedAttempt {
  readonly status: "ok" | "error";
  readonly error_class: string | null;
  readonly wait_ms: number;
}

/** How the agent's function ended, as its own process tells it. */
export type AgentOutcome =
  | { readonly type: "returned" }
  | { readonly type: "threw"; readonly error: { readonly name: string; readonly message: string } }
  /** Nothing of the agent ran. */
  | { readonly type: "not_started"; readonly message: string };
