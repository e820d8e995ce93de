import type { CaptureForm } from "../contract/evidence.ts";
import { hashJson } from "../json/canonical.ts";
import { toJson, type JsonValue } from "../json/json.ts";
import type { Redactor } from "./redactor.ts";

/**
 * `full` keeps secrets and is an explicit choice; `hash` keeps nothing but the identity; `none` does not look at the
 * value at all, and costs nothing.
 */
export const CAPTURE_POLICIES = ["full", "redacted", "hash", "none"] as const;
export type CapturePolicy = (typeof CAPTURE_POLICIES)[number];

export interface CaptureOptions {
  /** Default `redacted`. */
  readonly policy?: CapturePolicy;
  /** Largest text kept, in bytes of UTF-8. Default 256 KiB. */
  readonly maxBytes?: number;
  readonly redactor: Pick<Redactor, "json">;
  /** What the value is, for the problem text: "result of search". Default "value". */
  readonly label?: string;
}

export interface CapturedValue {
  /**
   * JSON with its keys in the order they came, which an agent that prints a result shows to its model; or
   * `sha256:<hex of the canonical form>;bytes=<n>` in form `hash`. Absent when there is nothing that may be kept.
   */
  readonly text?: string;
  readonly form: CaptureForm;
  /** Bytes of the JSON after redaction; 0 when there is none. */
  readonly bytes: number;
  /** Why the value is not kept as it was; makes the run unfit for replay. */
  readonly problem?: string;
}

export const DEFAULT_CAPTURE_MAX_BYTES = 262_144;

/** Makes the recorded form of a value. Never throws: a value that cannot be redacted is withheld. */
export function captureValue(value: unknown, options: CaptureOptions): CapturedValue {
  const { policy = "redacted", maxBytes = DEFAULT_CAPTURE_MAX_BYTES, redactor, label = "value" } = options;
  if (policy === "none") return NOT_LOOKED_AT;
  const json = toJson(value);
  if (json === undefined) {
    return { form: "hash", bytes: 0, problem: `${label} is not JSON (a function, a cycle, or nested too deep)` };
  }
  try {
    const kept: JsonValue = policy === "full" ? json : redactor.json(json);
    const text = JSON.stringify(kept);
    const bytes = Buffer.byteLength(text);
    if (policy === "hash") return hashed(kept, bytes);
    if (bytes > maxBytes) {
      return { ...hashed(kept, bytes), problem: `${label} is ${bytes} bytes, over the capture limit of ${maxBytes}` };
    }
    return { text, form: kept === json ? "full" : "redacted", bytes };
  } catch {
    return { form: "hash", bytes: 0, problem: `${label} was withheld: it could not be redacted` };
  }
}

/** What the policy `none` makes of every value. The problem makes the run unfit for replay, and clauses about the value undecided. */
export const NOT_LOOKED_AT: CapturedValue = { form: "hash", bytes: 0, problem: "the policy is to keep no values" };

const hashed = (value: JsonValue, bytes: number): CapturedValue => ({
  text: `sha256:${hashJson(value)};bytes=${bytes}`,
  form: "hash",
  bytes,
});

/** SHA-256 of the canonical JSON after redaction, lower-case hex; `undefined` when there was no value. */
export function sha256Of({ text, form }: CapturedValue): string | undefined {
  if (text === undefined) return undefined;
  return form === "hash"
    ? text.slice("sha256:".length, "sha256:".length + 64)
    : hashJson(JSON.parse(text) as JsonValue);
}
