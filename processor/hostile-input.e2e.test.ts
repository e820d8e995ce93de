import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStore, type Store } from "./clickhouse/store.ts";
import { loadServiceConfig } from "./config.ts";
import { startService, type Service } from "./service.ts";

/** The whole service, from the socket to the stored row. What the parts refuse is tested beside them. */
let work: string;
let service: Service;
let reader: Store;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "runproof-hostile-"));
  service = await startService(
    loadServiceConfig(
      {},
      { otlpPort: 0, otlpGrpcPort: 0, clickhousePort: 0, adminPort: "off", dataDirectory: join(work, "data") },
    ),
  );
  reader = createStore({ url: service.clickhouseUrl });
});

afterAll(async () => {
  await reader.close();
  await service.shutdown();
  await rm(work, { recursive: true, force: true });
});

const HOSTILE: Readonly<Record<string, string>> = {
  "sql quote": "'; DROP TABLE otel_traces; --",
  "sql after a blank line": '"}\n\nDROP TABLE otel_traces\n\nSELECT 1',
  "sql in json": '{"a":1}\n\n\nINSERT INTO otel_traces FORMAT JSONEachRow {"TraceId":"x"}',
  "table function": "file('/etc/passwd')",
  html: '<script>alert(1)</script><img src=x onerror="alert(2)">',
  terminal: "\u001B[31mred\u001B]8;;https://example.org\u0007",
  nul: "before\u0000after",
  "private use": "\uE000\u{10FFFF}",
  "template braces": "{run_id:String} ${process.exit(1)} %s {{7*7}}",
  __proto__key: "x",
};

const TRACE_ID = "0123456789abcdef0123456789abcdef";

const bodyWith = (attributes: readonly [string, string][]): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: HOSTILE["sql quote"] } }] },
        scopeSpans: [
          {
            spans: [
              {
                traceId: TRACE_ID,
                spanId: "00000000000000aa",
                name: HOSTILE["sql after a blank line"],
                startTimeUnixNano: "1795242245995000001",
                endTimeUnixNano: "1795242245995000002",
                attributes: attributes.map(([key, value]) => ({ key, value: { stringValue: value } })),
              },
            ],
          },
        ],
      },
    ],
  });

const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${service.otlpUrl}/v1/traces`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });

describe("hostile content", () => {
  it("is stored as the text it is, in names, keys and values, and nothing else happens", async () => {
    const attributes = [...Object.entries(HOSTILE), ["__proto__", "own key"], ["constructor", "c"]] as [
      string,
      string,
    ][];
    const tables = "SELECT count() AS n FROM system.tables WHERE database = currentDatabase()";
    const before = await reader.query(tables);
    expect((await post(bodyWith(attributes))).status).toBe(200);
    await service.idle();
    const [row] = await reader.query<{ SpanName: string; ServiceName: string; keys: string[]; values: string[] }>(
      "SELECT SpanName, ServiceName, mapKeys(SpanAttributes) AS keys, mapValues(SpanAttributes) AS values FROM otel_traces WHERE TraceId = {traceId:String}",
      { traceId: TRACE_ID },
    );
    expect(row?.SpanName).toBe(HOSTILE["sql after a blank line"]);
    expect(row?.ServiceName).toBe(HOSTILE["sql quote"]);
    expect(new Map(row?.keys.map((key, index) => [key, row.values[index]]))).toEqual(new Map(attributes));
    expect(await reader.query(tables)).toEqual(before);
    expect(({} as Record<string, unknown>)["own key"]).toBeUndefined();
  });

  it("with broken UTF-16 is stored with replacement characters", async () => {
    const body = bodyWith([["broken", "MARK"]])
      .replace("MARK", String.raw`a\ud800b`)
      .replace(TRACE_ID, "f".repeat(32));
    expect((await post(body)).status).toBe(200);
    await service.idle();
    const [row] = await reader.query<{ value: string }>(
      "SELECT SpanAttributes['broken'] AS value FROM otel_traces WHERE TraceId = {traceId:String}",
      { traceId: "f".repeat(32) },
    );
    expect(row?.value).toBe("a\uFFFDb");
  });
});

describe("a bad request", () => {
  const bomb = gzipSync(Buffer.alloc(1 << 30));
  const deep = `{"resourceSpans":${"[".repeat(5_000_000)}`;

  it.each([
    ["a wrong content type", "{}", { "content-type": "text/plain" }, 415],
    ["an unknown encoding", "{}", { "content-encoding": "br" }, 415],
    ["broken protobuf", "\u00ff\u00ff\u00ff", { "content-type": "application/x-protobuf" }, 400],
    ["broken JSON", "{", {}, 400],
    ["broken gzip", "not gzip", { "content-encoding": "gzip" }, 400],
    ["1 MiB that inflates to 1 GiB", bomb, { "content-encoding": "gzip" }, 413],
    ["5 million levels of JSON", deep, {}, 400],
    ["a body over the limit", Buffer.alloc(65 << 20, 32), {}, 413],
  ] as const)("%s gets its status and a message, and the service goes on", async (_name, body, headers, status) => {
    const response = await post(body as string, headers);
    expect(response.status).toBe(status);
    const text = await response.text();
    expect(text.length).toBeGreaterThan(10);
    expect((await fetch(`${service.otlpUrl}/health`)).status).toBe(200);
  });

  it("costs the service no lasting memory", async () => {
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 10; round++) {
      await post(bomb, { "content-encoding": "gzip" });
      await post(deep);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(300 << 20);
  });
});
