import type { IncomingHttpHeaders } from "node:http";
import type { Identity } from "../auth/identity.ts";
import type { ByteBudget, ByteShare } from "./byte-budget.ts";
import { NO_MEMORY, type Refusal } from "./intake-outcome.ts";
import { createOtlpIntake, type OtlpIntakeOptions, type OtlpSinks } from "./otlp-intake.ts";
import { encodingOf, type OtlpEncoding, type OtlpRequestHead, readRequestHead } from "./otlp-request.ts";
import { type HttpReply, httpReplyFrom, replyToRefusal } from "./otlp-status.ts";
import { admitWriter, authenticatorOf, type ReceiverGuards } from "./receiver-guards.ts";

export type OtlpHandlerOptions = OtlpSinks &
  Pick<OtlpIntakeOptions, "limits" | "onUnexpectedError"> &
  Pick<ReceiverGuards, "authenticator" | "rateLimiter" | "onRefused"> & { readonly budget: ByteBudget };

/** All of a request but its body. */
export interface OtlpRequestStart {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Names on the verified client certificate. Default: none. */
  certificateNames?(): readonly string[];
}

/** A whole request, as it came. */
export interface OtlpRequest extends OtlpRequestStart {
  readonly body: Uint8Array;
}

/** A request whose body is worth reading. */
export interface AdmittedRequest extends OtlpRequestHead {
  readonly identity: Identity;
}

/** OTLP/HTTP without the socket. No method throws. */
export interface OtlpHandler {
  /** Decides before the body is read: who sends it, and whether it is OTLP. Otherwise the answer. */
  admit(request: OtlpRequestStart): AdmittedRequest | HttpReply;
  /** The answer to a request that is turned away, counted. */
  refuse(refusal: Refusal, encoding: OtlpEncoding | undefined): HttpReply;
  /** Answers an admitted request. `share` is charged for what decompression adds; the caller closes it. */
  handleBody(admitted: AdmittedRequest, body: Uint8Array, share: ByteShare): Promise<HttpReply>;
  /** Both, for a request of which everything is known. */
  handle(request: OtlpRequest): Promise<HttpReply>;
}

export function createOtlpHandler(options: OtlpHandlerOptions): OtlpHandler {
  const authenticator = authenticatorOf(options);
  const { limits, rateLimiter, onUnexpectedError, onRefused } = options;
  const onRefusedHere = onRefused && { onRefused };
  const intake = createOtlpIntake({ sinks: options, limits, rateLimiter, onUnexpectedError, ...onRefusedHere });
  const refuse = (refusal: Refusal, encoding: OtlpEncoding | undefined): HttpReply => {
    onRefused?.(refusal.refused);
    return replyToRefusal(refusal, encoding);
  };

  const admit = ({ method, url, headers, certificateNames }: OtlpRequestStart): AdmittedRequest | HttpReply => {
    const { authorization } = headers;
    const presented = { authorization, ...(certificateNames && { certificateNames }) };
    const identity = admitWriter(authenticator, presented);
    if ("refused" in identity) return refuse(identity, encodingOf(headers));
    const head = readRequestHead(method, url, headers);
    return "refused" in head ? refuse(head, encodingOf(headers)) : { ...head, identity };
  };

  const handleBody = async (admitted: AdmittedRequest, bytes: Uint8Array, share: ByteShare): Promise<HttpReply> =>
    httpReplyFrom(await intake.take({ ...admitted, bytes }, share), admitted);

  return {
    admit,
    refuse,
    handleBody,
    async handle(request) {
      const admitted = admit(request);
      if ("status" in admitted) return admitted;
      const share = options.budget.open();
      try {
        if (!share.take(request.body.length)) return refuse(NO_MEMORY, admitted.encoding);
        return await handleBody(admitted, request.body, share);
      } finally {
        share.close();
      }
    },
  };
}
