import { constants, type ServerHttp2Stream } from "node:http2";
import type { GrpcReply } from "./otlp-status.ts";

const HEADERS = {
  ":status": 200,
  "content-type": "application/grpc",
  "grpc-accept-encoding": "identity,gzip",
} as const;

/** How long a client may go on sending after a refusal. A reset at once would overtake the answer. */
const LINGER_MILLIS = 1_000;

/**
 * Writes a gRPC answer (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). A refusal may leave before the
 * request has come whole; the rest is thrown away, and soon the stream is reset without an error.
 */
export function sendGrpcReply(stream: ServerHttp2Stream, reply: GrpcReply): void {
  if (stream.destroyed || stream.headersSent) return;
  if ("message" in reply) {
    stream.respond(HEADERS, { waitForTrailers: true });
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(framed(reply.message));
    return;
  }
  const trailers: Record<string, string> = {
    "grpc-status": String(reply.code),
    "grpc-message": percentEncoded(reply.text),
  };
  if (reply.details !== undefined) trailers["grpc-status-details-bin"] = Buffer.from(reply.details).toString("base64");
  stream.respond({ ...HEADERS, ...trailers }, { endStream: true });
  if (stream.readableEnded) return;
  stream.resume();
  const linger = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), LINGER_MILLIS);
  stream.once("close", () => clearTimeout(linger));
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

/** Longer header values make clients drop the whole answer. */
const MAX_MESSAGE_LENGTH = 1_024;

/** Everything but printable ASCII, and `%`, as `%XX` of its UTF-8. */
function percentEncoded(text: string): string {
  let encoded = "";
  for (const byte of Buffer.from(text.slice(0, MAX_MESSAGE_LENGTH))) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}
