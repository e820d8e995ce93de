import type { CallKind } from "../../instrumentation/capture/call-interceptor.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import type { Attempt } from "./strict/attempt.ts";
import type { WitnessAddress } from "./strict/witness.ts";

/** What parent and child tell each other, as JSON over the child's IPC channel. */
export type ToChild =
  | {
      readonly type: "start";
      /** File URL of the agent's module. */
      readonly module: string;
      readonly exportName: string;
      readonly input: JsonValue;
      readonly state: JsonValue;
      /** What a run promises that is opened around the function, for an agent that opens none itself. */
      readonly contract?: JsonValue;
      /** OTLP/HTTP traces endpoint of the parent. */
      readonly tracesUrl: string;
      /** Behind the wall of strict mode: operations are refused, spans come back as messages. */
      readonly strict?: { readonly native: boolean };
    }
  /** Before `start`, behind the wall: try to get out. */
  | { readonly type: "canary"; readonly witness: WitnessAddress }
  | ({ readonly type: "otlp_reply"; readonly id: number } & OtlpReply)
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
  /** The ways out that were open. */
  | { readonly type: "canary_result"; readonly open: readonly string[] }
  | { readonly type: "attempt"; readonly attempt: Attempt }
  | OtlpRequestMessage
  | { readonly type: "outcome"; readonly outcome: AgentOutcome };

/** An OTLP request of a child that has no network. */
export interface OtlpRequestMessage {
  readonly type: "otlp";
  readonly id: number;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Base64. */
  readonly body: string;
}

export interface OtlpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Base64. */
  readonly body: string;
}

/** What the cassette says to one call. */
export type CallReply =
  | { readonly outcome: "returned"; readonly result: JsonValue; readonly attempts?: readonly RecordedAttempt[] }
  | { readonly outcome: "threw"; readonly error: RecordedError; readonly attempts?: readonly RecordedAttempt[] }
  | { readonly outcome: "missed"; readonly message: string }
  /** Mode `live`, a tool declared read-only: the real one is called. */
  | { readonly outcome: "live" };

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
