import { once } from "node:events";
import { request } from "node:http";
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { TRACES_METHOD } from "./grpc-client.ts";

export type Wire = "HTTP" | "gRPC";

export interface Sent {
  /** HTTP status or gRPC status. */
  readonly code: number;
  readonly millis: number;
}

export interface HostileBody {
  readonly bytes: Uint8Array;
  readonly gzip: boolean;
  /** Default: protobuf. */
  readonly json?: boolean;
}

export async function overHttp(port: number, { bytes, gzip, json = false }: HostileBody): Promise<Sent> {
  const headers = {
    "content-type": json ? "application/json" : "application/x-protobuf",
    "content-length": bytes.length,
    ...(gzip && { "content-encoding": "gzip" }),
  };
  const started = performance.now();
  const asked = request({ port, host: "127.0.0.1", method: "POST", path: "/v1/traces", headers });
  asked.end(bytes);
  const [response] = await once(asked, "response");
  response.resume();
  return { code: response.statusCode, millis: performance.now() - started };
}

export async function overGrpc(port: number, { bytes, gzip }: HostileBody): Promise<Sent> {
  const session = openSession(port);
  const closed = once(session, "close").then(() => Promise.reject(new Error("the connection was closed")));
  await Promise.race([once(session, "connect"), closed]);
  closed.catch(() => {});
  const started = performance.now();
  const stream = openStream(session, gzip);
  const code = codeOf(stream);
  stream.write(prefixOf(bytes.length, gzip));
  stream.end(bytes);
  const result = { code: await code, millis: performance.now() - started };
  session.destroy();
  return result;
}

export function openSession(port: number): ClientHttp2Session {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  return session;
}

export function openStream(session: ClientHttp2Session, gzip = false): ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": TRACES_METHOD,
    "content-type": "application/grpc",
    te: "trailers",
    ...(gzip && { "grpc-encoding": "gzip" }),
  });
  stream.on("error", () => {});
  return stream.resume();
}

/** gRPC status, from the trailers or from an answer that is nothing but trailers; -1 without one. */
export const codeOf = (stream: ClientHttp2Stream): Promise<number> =>
  new Promise((resolve) => {
    const look = (headers: Record<string, unknown>): void => {
      if (headers["grpc-status"] !== undefined) resolve(Number(headers["grpc-status"]));
    };
    stream.on("response", look).on("trailers", look);
    stream.once("close", () => resolve(-1));
  });

/** What stands before a gRPC message. */
export function prefixOf(length: number, gzip: boolean): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = gzip ? 1 : 0;
  prefix.writeUInt32BE(length, 1);
  return prefix;
}
