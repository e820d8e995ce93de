import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { insertNative } from "../clickhouse/native-insert.ts";
import { LOG_COLUMNS } from "../clickhouse/rows.ts";
import { createStore, type Store } from "../clickhouse/store.ts";
import { rowsOf, startEngineFixture, type EngineFixture } from "../clickhouse/testing/engine-fixture.ts";
import { OtlpDecodeError } from "../otlp/decode-error.ts";
import { logRowsFrom } from "../otlp/log-rows.ts";
import { decodeLogsProtobuf } from "../otlp/protobuf-logs.ts";
import { logsArbitrary } from "../otlp/testing/arbitraries.ts";
import { encodeLogsProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { createLogBlock } from "./log-block.ts";

let fixture: EngineFixture;
let slow: Store;

beforeAll(async () => {
  fixture = await startEngineFixture();
  const options = { url: fixture.engine.url(), ...fixture.engine.serviceCredentials() };
  for (const database of ["fast", "slow"]) {
    await fixture.service.command({ query: `CREATE DATABASE ${database} ENGINE = Atomic` });
    const store = createStore({ ...options, database });
    await store.migrate();
    if (database === "slow") slow = store;
    else await store.close();
  }
});
afterAll(async () => {
  await slow.close();
  await fixture.close();
});

const rowsIn = (database: string) =>
  rowsOf(fixture.service, `SELECT * FROM ${database}.otel_logs ORDER BY cityHash64(*)`);

describe("a log block in the engine", () => {
  it("stores what the row path stores, whatever the records", async () => {
    const block = createLogBlock();
    const bodies = fc.array(logsArbitrary.map(encodeLogsProtobuf), { minLength: 4, maxLength: 12 });
    let token = 0;
    await fc.assert(
      fc.asyncProperty(bodies, async (some) => {
        for (const name of ["fast", "slow"])
          await fixture.service.command({ query: `TRUNCATE TABLE ${name}.otel_logs` });
        block.reset();
        const batches = some.map((body) => logRowsFrom(decodeLogsProtobuf(body)));
        for (const [index, body] of some.entries()) {
          const result = block.append(body);
          expect(result.rows).toBe(batches[index]!.rows.length);
          expect(result.rejected.map(({ reason, count }) => [reason, count])).toEqual([...batches[index]!.rejections]);
        }
        await slow.insertLogs(batches.flatMap(({ rows }) => rows));
        const options = { url: fixture.engine.url(), ...fixture.engine.serviceCredentials(), database: "fast" };
        const target = { ...options, table: "otel_logs", columns: LOG_COLUMNS, token: `logs-${token++}` };
        await insertNative(target, block.finish());
        expect(await rowsIn("fast")).toEqual(await rowsIn("slow"));
      }),
      { numRuns: 25 },
    );
  });

  it("is as before after a body that does not decode", () => {
    const block = createLogBlock();
    expect(() => block.append(Uint8Array.of(0x0a, 0x7f))).toThrow(OtlpDecodeError);
    expect(block.rows).toBe(0);
    expect(block.bytes).toBe(0);
  });
});
