import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  chunkBytes,
  parseRecordedAnswer,
  type RecordedAnswer,
} from "../../../instrumentation/auto/http/recorded-answer.ts";
import { canonicalJson } from "../../../instrumentation/json/canonical.ts";
import type { Interaction } from "../../cassette/cassette.ts";

/** These speak of one connection, not of the answer; Node writes its own. */
const CONNECTION_HEADERS = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection"]);

/** Answers a request from a recording: chunk by chunk as they were recorded, and cut where the recording was cut. */
export async function sendRecorded(interaction: Interaction, response: ServerResponse): Promise<void> {
  if (interaction.outcome === "threw") return void response.destroy();
  const answer = interaction.kind === "model" ? undefined : parseRecordedAnswer(interaction.result);
  if (answer !== undefined) return await sendExchange(answer, response);
  // A model call recorded above the wire: its result is the provider's answer.
  const body = canonicalJson(interaction.result);
  response.writeHead(200, { "content-type": "application/json" }).end(body);
}

async function sendExchange(answer: RecordedAnswer, response: ServerResponse): Promise<void> {
  if (answer.status === undefined) return void response.destroy();
  const headers = answer.headers.filter(([name]) => !CONNECTION_HEADERS.has(name.toLowerCase()));
  response.sendDate = false;
  response.writeHead(answer.status, answer.status_text, headers.flat());
  response.flushHeaders();
  for (const chunk of answer.chunks) {
    if (response.destroyed) return;
    if (!response.write(chunkBytes(chunk))) await Promise.race([once(response, "drain"), once(response, "close")]);
    // Written in a turn of its own, so that what follows does not travel in the same piece.
    await nextTurn();
  }
  if (answer.end === "complete") response.end();
  else response.destroy();
}
