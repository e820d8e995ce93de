import { z } from "zod";
import { parseJson } from "../json/json.ts";
import { REASON_CODES } from "./reason-codes.ts";
import { VERDICT_STATUSES, type Verdict } from "./verdict.ts";

const evidence = z.array(
  z.object({
    kind: z.enum(["artifact", "path", "tool_call", "change", "state", "verification", "answer", "run"]),
    id: z.string(),
  }),
);
const reasons = z.array(z.object({ code: z.enum(REASON_CODES), clause: z.string(), evidence, message: z.string() }));
const proofs = z.array(z.object({ clause: z.string(), evidence, observed: z.string() }));
const status = z.enum(VERDICT_STATUSES);

/** A verdict in the form spans and rows carry it: the status, and reasons and proofs as JSON text. */
export interface VerdictTexts {
  readonly status: unknown;
  readonly reasons: unknown;
  readonly proofs: unknown;
}

/** Puts a verdict together again. `null` when the parts do not hold together. */
export function parseVerdict(texts: VerdictTexts): Verdict | null {
  const parsed = z
    .object({ status, reasons, proofs })
    .safeParse({ status: texts.status, reasons: fromJson(texts.reasons), proofs: fromJson(texts.proofs) });
  if (!parsed.success) return null;
  const main = parsed.data.reasons[0];
  return { ...parsed.data, failureClass: main?.code ?? null, failureReason: main?.message ?? null };
}

const fromJson = (text: unknown): unknown => (typeof text === "string" ? parseJson(text) : undefined);
