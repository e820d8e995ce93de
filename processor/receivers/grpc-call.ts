import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { certificateNamesOf } from "../auth/client-certificate.ts";
import type { Authenticator, Identity } from "../auth/identity.ts";
import type { ByteBudget, ByteShare } from "./byte-budget.ts";
import { GrpcMessageAssembler, readGrpcMessage } from "./grpc-message.ts";
import { type GrpcRequestHead, notGrpc, readGrpcHead } from "./grpc-request.ts";
import { sendGrpcReply } from "./grpc-response.ts";
import { FAILED, type IntakeOutcome, NO_MEMORY, type Refusal } from "./intake-outcome.ts";
import type { OtlpIntake } from "./otlp-intake.ts";
import { grpcReplyFrom } from "./otlp-status.ts";
import { admitWriter, type ReceiverGuards } from "./receiver-guards.ts";
import type { ReceiverLimits } from "./receiver-limits.ts";

export interface GrpcCallContext {
  readonly limits: ReceiverLimits;
  readonly budget: ByteBudget;
  readonly intake: OtlpIntake;
  readonly authenticator: Authenticator;
  readonly onUnexpectedError: (error: unknown) => void;
  readonly onRefused?: ReceiverGuards["onRefused"];
}

/** A stream costs memory before its message does; charged, so that many small ones are bounded like a large one. */
const STREAM_OVERHEAD_BYTES = 16 * 1024;
const MAX_TIMER_MILLIS = 2 ** 31 - 1;

const DEADLINE: Refusal = { refused: "too_slow", message: "The call did not end before its deadline." };
const SLOW_BODY: Refusal = { refused: "too_slow", message: "The message did not come in time." };

/** Answers one stream. Never rejects. */
export async function serveGrpcCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  context: GrpcCallContext,
): Promise<void> {
  // A reset stream reports an error besides `close`; unheard, it would end the process.
  stream.on("error", () => {});
  const share = context.budget.open();
  try {
    const foreign = notGrpc(headers);
    if (foreign !== undefined) stream.respond({ ":status": foreign.httpStatus }, { endStream: true });
    else await answer(stream, headers, { ...context, share });
  } catch (error) {
    context.onUnexpectedError(error);
    refuse(stream, FAILED, context);
  } finally {
    share.close();
  }
}

/** All signals answer a refusal alike. */
function refuse(stream: ServerHttp2Stream, refusal: Refusal, { onRefused }: GrpcCallContext): void {
  onRefused?.(refusal.refused);
  sendGrpcReply(stream, grpcReplyFrom(refusal, "traces"));
}

interface OpenCall extends GrpcCallContext {
  readonly share: ByteShare;
}

/** Decides by the header first: who sends it, and whether it is OTLP. */
async function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, call: OpenCall): Promise<void> {
  const identity = admitWriter(call.authenticator, {
    authorization: headers.authorization,
    certificateNames: () => certificateNamesOf(stream.session?.socket),
  });
  if ("refused" in identity) return refuse(stream, identity, call);
  const head = readGrpcHead(headers);
  if ("refused" in head) return refuse(stream, head, call);
  const reply = (outcome: IntakeOutcome): void => sendGrpcReply(stream, grpcReplyFrom(outcome, head.signal));
  const { timeoutMillis = MAX_TIMER_MILLIS } = head;
  // What the consumer does after the deadline still counts; the client will send it again.
  const deadline = setTimeout(() => refuse(stream, DEADLINE, call), Math.min(timeoutMillis, MAX_TIMER_MILLIS));
  const slow = setTimeout(() => refuse(stream, SLOW_BODY, call), call.limits.requestTimeoutMillis);
  try {
    const message = await read(stream, head, call);
    clearTimeout(slow);
    if (message === undefined) return;
    if ("refused" in message) return refuse(stream, message, call);
    reply(await call.intake.take(wireBody(head, message, identity), call.share));
  } finally {
    clearTimeout(slow);
    clearTimeout(deadline);
  }
}

async function read(stream: ServerHttp2Stream, head: GrpcRequestHead, { share, limits }: OpenCall) {
  if (!share.take(STREAM_OVERHEAD_BYTES)) return NO_MEMORY;
  return readGrpcMessage(stream, new GrpcMessageAssembler(head.gzip, limits, share));
}

const wireBody = (
  { signal }: GrpcRequestHead,
  { compressed, bytes }: { readonly compressed: boolean; readonly bytes: Uint8Array },
  identity: Identity,
) => ({ signal, encoding: "protobuf", compressed, bytes, identity }) as const;
