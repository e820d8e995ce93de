import type { DecodeErrorCode, OtlpDecodeError } from "../otlp/index.ts";
import type { Refusal, RefusalReason } from "./intake-outcome.ts";

const REASONS: Readonly<Record<DecodeErrorCode, RefusalReason>> = {
  malformed: "not_decodable",
  too_deep: "not_decodable",
  too_many: "too_large",
};
const ADVICE: Readonly<Record<DecodeErrorCode, string>> = {
  malformed: "Check that the body is what its content type and path say.",
  too_deep: "Send deeply nested values as JSON text.",
  too_many: "Send smaller batches.",
};

export function refusalFromDecodeError(error: OtlpDecodeError): Refusal {
  return { refused: REASONS[error.code], message: `${error.message}. ${ADVICE[error.code]}` };
}
