import { readdirSync, readFileSync } from "node:fs";
import type { LogRow, SpanRow } from "../../../../clickhouse/rows.ts";
import { decodeLogsJson, decodeTracesJson, logRowsFrom, spanRowsFrom } from "../../../../otlp/index.ts";
import type { SentBody } from "./scenario-server.ts";

const FOLDER = new URL("../bodies/", import.meta.url);

/** Stored bodies of real emitters, by file name. Kept for ever: a trace stored years ago must still be read. */
export const storedBodyFiles = (): string[] => readdirSync(FOLDER).filter((name) => name.endsWith(".otlp.json"));

export interface DecodedBodies {
  readonly spans: readonly SpanRow[];
  readonly logs: readonly LogRow[];
}

/** As the receiver decodes them on the way to the store. */
export function decodeBodies(sent: readonly SentBody[]): DecodedBodies {
  const bytes = ({ body }: SentBody): Buffer => Buffer.from(JSON.stringify(body));
  return {
    spans: sent
      .filter(({ path }) => path === "/v1/traces")
      .flatMap((one) => spanRowsFrom(decodeTracesJson(bytes(one))).rows),
    logs: sent.filter(({ path }) => path === "/v1/logs").flatMap((one) => logRowsFrom(decodeLogsJson(bytes(one))).rows),
  };
}

export const readSentBodies = (file: string): SentBody[] =>
  JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as SentBody[];

export const readStoredBodies = (file: string): DecodedBodies => decodeBodies(readSentBodies(file));
