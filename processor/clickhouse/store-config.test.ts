import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { storeSettingsFromEnv } from "./store-config.ts";
import { insertSettings, readSettings } from "./topology.ts";

describe("the store's settings", () => {
  it("are one server and rows for ever without variables", async () => {
    const { options, retention } = await storeSettingsFromEnv({ RUNPROOF_CLICKHOUSE_CLUSTER: "" });
    expect(options).toEqual({});
    expect(Object.values(retention.tables).every((days) => days === "forever")).toBe(true);
  });

  it("take a cluster with its quorum", async () => {
    const one = await storeSettingsFromEnv({
      RUNPROOF_CLICKHOUSE_CLUSTER: "main",
      RUNPROOF_CLICKHOUSE_INSERT_QUORUM: "2",
    });
    expect(one.options).toEqual({ cluster: { cluster: "main", insertQuorum: 2 } });
    const other = await storeSettingsFromEnv({ RUNPROOF_CLICKHOUSE_CLUSTER: "main" });
    expect(other.options).toEqual({ cluster: { cluster: "main" } });
  });

  it("take retention as JSON or from a file, and general days", async () => {
    const directory = await mkdtemp(join(tmpdir(), "runproof-retention-"));
    const file = join(directory, "retention.json");
    await writeFile(file, '{ "otel_traces": 30 }');
    const fromFile = await storeSettingsFromEnv({ RUNPROOF_RETENTION: file, RUNPROOF_RETENTION_DAYS: "90" });
    expect(fromFile.retention.tables).toMatchObject({ otel_traces: 30, otel_logs: 90 });
    const fromText = await storeSettingsFromEnv({ RUNPROOF_RETENTION: ' {"projects": {"a": {"otel_logs": 1}}}' });
    expect(fromText.retention.projects).toEqual({ a: { otel_logs: 1 } });
    await rm(directory, { recursive: true });
  });

  it.each([
    [{ RUNPROOF_CLICKHOUSE_CLUSTER: "a'b" }, "plain name"],
    [{ RUNPROOF_CLICKHOUSE_INSERT_QUORUM: "0" }, "clickhouseInsertQuorum"],
    [{ RUNPROOF_RETENTION_DAYS: "0" }, "retentionDays"],
    [{ RUNPROOF_RETENTION: "/nowhere/retention.json" }, "the file /nowhere/retention.json cannot be used"],
    [{ RUNPROOF_RETENTION: "{" }, "the JSON cannot be used"],
    [{ RUNPROOF_CLICKHOUSE_SERVER_CA_FILE: "/nowhere/ca.pem" }, "/nowhere/ca.pem cannot be read"],
  ])("refuse %j", async (env, problem) => {
    await expect(storeSettingsFromEnv(env)).rejects.toThrow(problem);
  });
});

describe("the settings of requests", () => {
  it("are none for one server", () => {
    expect({ ...insertSettings(undefined), ...readSettings(undefined) }).toEqual({});
  });

  it("wait for every shard and a majority of its replicas, and read what was written", () => {
    expect(insertSettings({ cluster: "main" })).toEqual({
      distributed_foreground_insert: 1,
      insert_quorum: "auto",
      insert_quorum_parallel: 0,
    });
    expect(readSettings({ cluster: "main" })).toMatchObject({
      select_sequential_consistency: 1,
      skip_unavailable_shards: 0,
    });
    expect(insertSettings({ cluster: "main", insertQuorum: 1 })).toEqual({ distributed_foreground_insert: 1 });
  });
});
