import { afterAll, beforeAll, expect, it, vi } from "vitest";

import { ACCEPTED } from "../outcome.ts";
import { createGroupCommitConsumer, type GroupCommitConsumer } from "./group-commit.ts";
import type { SpanRow } from "./rows.ts";
import { createStore, type Store } from "./store.ts";
import { startEngineFixture, type EngineFixture } from "./testing/engine-fixture.ts";
import { spanRow } from "./testing/row-samples.ts";

let fixture: EngineFixture;
let store: Store;
let consumer: GroupCommitConsumer<SpanRow>;
beforeAll(async () => {
  fixture = await startEngineFixture();
  store = createStore({ url: fixture.engine.url(), ...fixture.engine.serviceCredentials() });
  await store.migrate();
  consumer = createGroupCommitConsumer<SpanRow>({
    insert: (rows, token) => store.insertSpans(rows, token),
    quarantine: (row, reason, token) =>
      store.insertQuarantine(
        [{ received_at: Date.now(), signal: "traces", reason, row_json: JSON.stringify(row) }],
        token,
      ),
  });
});
afterAll(async () => {
  await store.close();
  await fixture.close();
});

const spanId = (index: number) => index.toString(16).padStart(16, "0");

it("loses and doubles no accepted row while the engine is killed", async () => {
  const accepted = new Set<string>();
  let next = 0;
  const sender = async (): Promise<void> => {
    for (let sent = 0; sent < 140; sent += 10) {
      const rows = Array.from({ length: 10 }, () => spanRow({ SpanId: spanId(next++), ServiceName: "killed" }));
      expect(await consumer.consume(rows)).toEqual(ACCEPTED);
      for (const row of rows) accepted.add(row.SpanId);
    }
  };
  const killer = async (): Promise<void> => {
    for (const at of [100, 250]) {
      await vi.waitUntil(() => accepted.size >= at, { timeout: 30_000, interval: 2 });
      process.kill(fixture.engine.pid() as number, "SIGKILL");
    }
  };
  await Promise.all([sender(), sender(), sender(), killer()]);
  const stored = await store.query<{ SpanId: string }>("SELECT SpanId FROM otel_traces WHERE ServiceName = 'killed'");
  expect(stored.map((row) => row.SpanId).toSorted()).toEqual([...accepted].toSorted());
}, 60_000);

it("puts the one bad row into quarantine with its reason and stores the rest", async () => {
  const bad = spanRow({ SpanId: "bad", ServiceName: "mixed", Duration: "not a number" });
  const uneven = spanRow({ SpanId: "uneven", ServiceName: "mixed", "Events.Name": ["one", "too many"] });
  const good = Array.from({ length: 20 }, (_, index) => spanRow({ SpanId: spanId(index), ServiceName: "mixed" }));
  const outcome = await consumer.consume([...good.slice(0, 7), bad, ...good.slice(7), uneven]);
  expect(outcome).toMatchObject({ status: "partial", rejected: 2 });
  const [row] = await store.query("SELECT count() AS n FROM otel_traces WHERE ServiceName = 'mixed'");
  expect(row).toEqual({ n: 20 });
  const kept = await store.query<{ reason: string; row_json: string }>(
    "SELECT reason, row_json FROM runproof_quarantine",
  );
  expect(kept.map((entry) => JSON.parse(entry.row_json) as SpanRow)).toEqual(expect.arrayContaining([bad, uneven]));
  for (const { reason } of kept) expect(reason).not.toBe("");
}, 30_000);
