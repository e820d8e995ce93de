export { createOtlpHttpReceiver, type ExtraRoute, type OtlpHttpReceiver } from "./otlp-http-receiver.ts";
export type { OtlpHttpReceiverOptions } from "./otlp-http-receiver.ts";
export type { HttpReply } from "./otlp-status.ts";
export { DEFAULT_RECEIVER_LIMITS, type ReceiverLimits } from "./receiver-limits.ts";
