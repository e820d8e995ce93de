import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Redactor } from "../../../instrumentation/capture/redactor.ts";
import { isJsonObject, type JsonValue, parseJson } from "../../../instrumentation/json/json.ts";
import type { IgnoreRule } from "../../cassette/cassette.ts";
import { describeMiss } from "../../cassette/describe-miss.ts";
import type { Player } from "../../cassette/player.ts";
import { answeredCall } from "../answered-call.ts";
import { askedUrl, headerPairs, readBody } from "./asked-request.ts";
import { type ComparableRequest, comparableRequest, recordedRequest } from "./recorded-request.ts";
import { sendRecorded } from "./send-recorded.ts";

export interface AnswersServerOptions {
  readonly player: Player;
  readonly ignore: readonly IgnoreRule[];
  /** The redactor of the recording, so that equal secrets match. */
  readonly redactor: Redactor;
  /** Base URL of the receiver of spans: what a client sends there through the proxy is passed on. */
  readonly otlpUrl: string;
}

/** A server on loopback that stands in for the world of an agent in another process. */
export interface AnswersServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Path at which a program can ask for the answer of a call that is no HTTP request. */
export const CALLS_PATH = "/runproof/calls";

/**
 * Answers HTTP requests of the agent from the cassette, as a proxy for plain HTTP and below base URLs. What was not
 * recorded is a miss and gets 502; a tunnel is one too, because what goes through it cannot be seen. Nothing leaves.
 */
export async function openAnswersServer(options: AnswersServerOptions): Promise<AnswersServer> {
  let url = "";
  const server = createServer((request, response) => {
    serve(request, response, { ...options, url }).catch(() => response.destroy());
  });
  server.on("connect", (request: IncomingMessage, socket: Socket) => {
    miss(options, { method: "CONNECT", url: request.url ?? "", body: null });
    socket.on("error", () => {});
    socket.end("HTTP/1.1 501 Not Recorded\r\nconnection: close\r\n\r\n");
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Serving = AnswersServerOptions & { readonly url: string };

async function serve(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const { method = "GET", url: target = "/" } = request;
  if (target.startsWith(`${serving.otlpUrl}/`)) return passOn(request, response);
  const body = await readBody(request);
  if (body === undefined) return void response.writeHead(413).end();
  if (target.replace(serving.url, "") === CALLS_PATH) return answerCall(body, response, serving.player);
  const url = askedUrl(target, serving.url) ?? new URL(target, serving.url).href;
  const asked = comparableRequest({ method, url, headers: headerPairs(request), body }, serving.redactor);
  const recorded = recordedRequest(asked, serving.player.unused(), serving.ignore);
  if (recorded === undefined) return refuse(response, miss(serving, asked));
  // The player is asked in the recording's own words: it counts what was used.
  const { kind, name, path } = recorded;
  const answer = serving.player.answer({ kind, name, path, arguments: recorded.arguments });
  if (answer.type === "miss") return refuse(response, describeMiss(answer));
  await sendRecorded(answer.interaction, response);
}

/** Tells the player what nobody recorded, so that the verdict knows. Returns it in words. */
function miss({ player }: Pick<AnswersServerOptions, "player">, asked: ComparableRequest): string {
  const name = `${asked.method} ${URL.parse(asked.url)?.host || asked.url}`;
  const request = { kind: "http" as const, name, path: `${name}#0`, arguments: { ...asked } };
  const answer = player.answer(request);
  return answer.type === "miss" ? describeMiss(answer) : "not recorded";
}

const refuse = (response: ServerResponse, why: string): void =>
  void response
    .writeHead(502, { "content-type": "application/json", "x-runproof-miss": "1" })
    .end(JSON.stringify({ error: { type: "runproof_cassette_miss", message: why } }));

/** `{kind, name, path?, arguments?}` gives `{outcome: "returned", result}`, `{outcome: "threw", error}` or 404. */
function answerCall(body: Buffer, response: ServerResponse, player: Player): void {
  const call = callFrom(parseJson(body.toString("utf8")), player);
  if (call === undefined)
    return void response.writeHead(400).end('{"error":"a call is {kind, name, path?, arguments?}"}');
  const { type: _type, id: _id, ...reply } = answeredCall(player, { type: "call", id: 0, ...call });
  response.writeHead(reply.outcome === "missed" ? 404 : 200, { "content-type": "application/json" });
  response.end(JSON.stringify(reply));
}

function callFrom(value: JsonValue | undefined, player: Player) {
  if (!isJsonObject(value)) return undefined;
  const { kind = "tool", name, path, arguments: args } = value;
  if ((kind !== "tool" && kind !== "model") || typeof name !== "string") return undefined;
  // Without a path: calls of one name in the order they were recorded.
  const first = player.unused().find((it) => it.kind === kind && it.name === name);
  const at = typeof path === "string" ? path : (first?.path ?? `${name}#0`);
  return { kind, name, path: at, ...(args === undefined ? {} : { arguments: args }) } as const;
}

function passOn(request: IncomingMessage, response: ServerResponse): void {
  const { method, headers, url = "" } = request;
  const onward = httpRequest(url, { method: method ?? "POST", headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  request.pipe(onward);
}
