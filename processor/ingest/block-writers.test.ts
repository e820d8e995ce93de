import { describe, expect, it } from "vitest";
import { readNativeBlock } from "../native/testing/read-native-block.ts";
import { encodeLogsJson, encodeTracesJson } from "../otlp/testing/encode-json.ts";
import { encodeLogsProtobuf, encodeTracesProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { attribute, logRecord, logs, span, traces } from "../otlp/testing/model-builders.ts";
import type { SpoolRecord } from "../spool/index.ts";
import { createLogsWriter } from "./logs-writer.ts";
import type { BlockSink } from "./store-block.ts";
import { createTracesWriter } from "./traces-writer.ts";

class Refused extends Error {}

/** A store that remembers what it was given, and refuses rows with this text in them, in blocks and alone. */
function sinkOf<Row>(bad?: string) {
  const blocks = new Map<string, Record<string, unknown>[]>();
  const rows = new Map<string, readonly Row[]>();
  const quarantined = new Map<string, Row>();
  const refuse = (found: unknown): void => {
    if (bad !== undefined && JSON.stringify(found).includes(bad)) throw new Refused("bad text");
  };
  const sink: BlockSink<Row> = {
    insertNative: async (pieces, token) => {
      const block = readNativeBlock(pieces);
      refuse(block);
      blocks.set(token, block);
    },
    insert: async (some, token) => {
      refuse(some);
      rows.set(token, some);
    },
    quarantine: async (row, _reason, token) => void quarantined.set(token, row),
    isContentError: (error) => error instanceof Refused,
  };
  return { sink, blocks, rows, quarantined };
}

const record = (kind: SpoolRecord["kind"], payload: Uint8Array, changes: Partial<SpoolRecord> = {}): SpoolRecord => ({
  kind,
  encoding: "protobuf",
  lane: "bulk",
  project: "shop",
  receivedAtMillis: 1,
  payload: Buffer.from(payload),
  ...changes,
});

const claim = [attribute("runproof.project", "bank")];
const stamped = [
  ["runproof.project", "shop"],
  ["runproof.project.claimed", "bank"],
];

describe("the traces writer", () => {
  const model = (name: string) => traces([span({ name, attributes: [attribute("runproof.run.id", name)] })], claim);
  const records = ["a", "b", "c"].map((name) => record("traces", encodeTracesProtobuf(model(name))));

  it("puts both encodings into one block, under the project of the credential", async () => {
    const { sink, blocks, rows } = sinkOf();
    const json = record("traces", encodeTracesJson(model("d")), { encoding: "json" });
    const touched = await createTracesWriter(sink)([...records, json], "t");
    expect(touched.map(({ runId }) => runId)).toEqual(["a", "b", "c", "d"]);
    expect(blocks.get("t")?.map((row) => [row["SpanName"], row["ResourceAttributes"]])).toEqual(
      ["a", "b", "c", "d"].map((name) => [name, stamped]),
    );
    expect(rows.size).toBe(0);
  });

  it("keeps batches apart that are stored at the same time", async () => {
    const { sink, blocks } = sinkOf();
    let letGo = (): void => {};
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const write = createTracesWriter({
      ...sink,
      async insertNative(pieces, token) {
        // The first is still on its way out while the second is made.
        if (token === "first") await held;
        await sink.insertNative(pieces, token);
      },
    });
    const first = write(records.slice(0, 1), "first");
    await write(records.slice(1), "second");
    letGo();
    await first;
    const names = (token: string) => blocks.get(token)?.map((row) => row["SpanName"]);
    expect([names("first"), names("second")]).toEqual([["a"], ["b", "c"]]);
  });

  it("stores the rows of a refused block one half at a time, and sets the bad one aside", async () => {
    const { sink, rows, quarantined } = sinkOf<{ SpanName: string; ResourceAttributes: object }>('"b"');
    await createTracesWriter(sink as never)(records, "t");
    expect([...rows.values()].flat().map((row) => row.SpanName)).toEqual(["a", "c"]);
    expect([...quarantined.values()].map((row) => row.SpanName)).toEqual(["b"]);
    for (const token of [...rows.keys(), ...quarantined.keys()]) expect(token).toMatch(/^t-rows/);
    for (const row of [...rows.values()].flat()) expect(Object.entries(row.ResourceAttributes)).toEqual(stamped);
  });
});

describe("the logs writer", () => {
  const model = (eventName: string) => logs([logRecord({ eventName, attributes: claim })]);
  const records = ["a", "b", "c"].map((name) => record("logs", encodeLogsProtobuf(model(name))));

  it("puts both encodings into one block, under the project of the credential", async () => {
    const { sink, blocks, rows } = sinkOf();
    const json = record("logs", encodeLogsJson(model("d")), { encoding: "json" });
    const own = record("logs", encodeLogsProtobuf(model("e")), { project: "" });
    await createLogsWriter(sink)([...records, json, own], "l");
    const block = blocks.get("l") ?? [];
    expect(block.map((row) => row["EventName"])).toEqual(["a", "b", "c", "d", "e"]);
    expect(block.map((row) => row["LogAttributes"])).toEqual([
      ...Array.from({ length: 4 }, () => stamped),
      [stamped[0]!.with(1, "bank")],
    ]);
    expect(block.map((row) => row["ResourceAttributes"])).toEqual([
      ...Array.from({ length: 4 }, () => [stamped[0]]),
      [],
    ]);
    expect(rows.size).toBe(0);
  });

  it("stores the rows of a refused block one half at a time, and sets the bad one aside", async () => {
    const { sink, rows, quarantined } = sinkOf<{ EventName: string }>('"b"');
    await createLogsWriter(sink as never)(records, "l");
    expect([...rows.values()].flat().map((row) => row.EventName)).toEqual(["a", "c"]);
    expect([...quarantined.values()].map((row) => row.EventName)).toEqual(["b"]);
  });

  it("asks nothing of the store for no records", async () => {
    const { sink, blocks } = sinkOf();
    await createLogsWriter(sink)([], "l");
    expect(blocks.size).toBe(0);
  });
});
