import { once } from "node:events";
import { Agent, createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Attributes } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ExportedSpan } from "./exported-span.ts";
import type { SdkExporter } from "./sdk-packages.ts";
import { SpanEncoder } from "./span-encoder.ts";
import { comparedOnce, createSpanExporter } from "./span-exporter.ts";

/** Bodies are compared with those of OpenTelemetry's own exporter: what they mean is for it to say. */

const PACKAGE = "@opentelemetry/exporter-trace-otlp-proto";
let server: Server;
let bodies: { readonly type: string | undefined; readonly body: Buffer }[];
let status = 200;

beforeEach(async () => {
  bodies = [];
  status = 200;
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      bodies.push({ type: request.headers["content-type"], body: Buffer.concat(parts) });
      response.writeHead(status).end();
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
});
afterEach(() => void server.close());

const options = () => ({
  url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
  headers: { "x-key": "k" },
  timeoutMillis: 5_000,
});

const ours = (): SdkExporter => {
  const exporter = createSpanExporter(PACKAGE, { ...options(), httpAgentOptions: () => new Agent() });
  return exporter ?? expect.fail("the exporter's parts do not fit");
};

const exported = async (exporter: SdkExporter, spans: readonly ReadableSpan[]): Promise<number> => {
  const { code } = await new Promise<{ readonly code: number }>((resolve) => {
    exporter.export(spans as unknown as ExportedSpan[], resolve);
  });
  await exporter.shutdown();
  return code;
};

async function bothBodies(spans: readonly ReadableSpan[]): Promise<[mine: Buffer, theirs: Buffer]> {
  expect(await exported(new OTLPTraceExporter(options()) as unknown as SdkExporter, spans)).toBe(0);
  const encoder = new SpanEncoder();
  // Thrice: what repeats is copied from what was written before.
  for (let n = 0; n < 2; n++) encoder.encode(spans as unknown as ExportedSpan[]);
  return [Buffer.from(encoder.encode(spans as unknown as ExportedSpan[])), bodies[0]?.body ?? Buffer.of()];
}

function spansOf(make: (provider: TracerProvider) => void): ReadableSpan[] {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  make(provider);
  return exporter.getFinishedSpans();
}

const withAttributes = (...all: Attributes[]): ReadableSpan[] =>
  spansOf((provider) => {
    for (const attributes of all) provider.getTracer("agent").startSpan("step", { attributes }).end();
  });

describe("the bytes of a request are those of OpenTelemetry's exporter", () => {
  test.each<[string, Attributes[]]>([
    ["texts of one letter to many kilobytes", [1, 23, 24, 25, 127, 128, 511, 512, 513, 20_000, 600_000].map(textOf)],
    ["texts beyond ASCII", [{ a: "é", b: "漢字".repeat(9), c: "🙂", d: `${"x".repeat(40)}ü`, e: "\ud800 alone" }]],
    ["a value that repeats, changes and comes back", ["a", "a", "a", "b", "a", "a", ""].map((value) => ({ value }))],
    ["integers", [{ a: 0, b: -1, c: 127, d: 128, e: 2 ** 31, f: -(2 ** 53), g: 2 ** 62, h: 2 ** 53 - 1, i: -0 }]],
    ["other numbers", [{ a: 0.5, b: -1.25, c: 1e300, d: NaN, e: Infinity, f: 2 ** 64 }]],
    ["truth values and lists", [{ yes: true, no: false, texts: ["a", "b", ""], numbers: [1, 2.5], none: [] }]],
    ["structures", [{ deep: { a: [{ b: [null, 1] }], c: {} }, bytes: Buffer.from("raw"), nothing: null } as never]],
    ["none", [{}]],
  ])("for %s", async (_what, attributes) => {
    const [mine, theirs] = await bothBodies(withAttributes(...attributes));
    expect(mine.equals(theirs)).toBe(true);
  });

  test("for parents, kinds, times, events, links, states and several scopes", async () => {
    const spans = spansOf((provider) => {
      const plain = provider.getTracer("plain");
      const versioned = provider.getTracer("versioned", "1.2.3", { schemaUrl: "https://example.org/schema" });
      const parent = plain.startSpan("parent", { kind: SpanKind.SERVER, startTime: [1_700_000_000, 999_999_999] });
      const context = trace.setSpan(ROOT_CONTEXT, parent);
      const links = [{ context: parent.spanContext(), attributes: { why: "linked" } }];
      const child = versioned.startSpan("child", { kind: SpanKind.CLIENT, links }, context);
      child.addEvent("seen", { n: 1, text: "x" }, [4_102_444_800, 5]).addEvent("empty");
      child.setStatus({ code: SpanStatusCode.ERROR, message: "it failed" }).end([4_102_444_801, 0]);
      parent.setStatus({ code: SpanStatusCode.OK }).end();
      const remote = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 1 };
      const far = trace.setSpanContext(ROOT_CONTEXT, { ...remote, isRemote: true });
      for (let n = 0; n < 500; n++) plain.startSpan(`of another trace ${n}`, {}, far).end();
    });
    const [mine, theirs] = await bothBodies(spans);
    expect(theirs.length).toBeGreaterThan(40_000);
    expect(mine.equals(theirs)).toBe(true);
  });

  test("after a request that could not be made", async () => {
    const exporter = ours();
    const spans = withAttributes({ a: "b" });
    const fail = (): never => {
      throw new Error("broken");
    };
    const broken = Object.create(spans[0] ?? null, { spanContext: { value: fail } }) as ExportedSpan;
    expect(() => exporter.export([...(spans as unknown as ExportedSpan[]), broken], () => {})).toThrow("broken");
    expect(await exported(exporter, spans)).toBe(0);
    await exported(new OTLPTraceExporter(options()) as unknown as SdkExporter, spans);
    expect(bodies[0]?.body.equals(bodies[1]?.body ?? Buffer.of())).toBe(true);
  });
});

function textOf(length: number): Attributes {
  return { [`name of ${length}`]: "t".repeat(length), same: "t".repeat(length) };
}

test("a span at a time that is none keeps no other from being sent", async () => {
  const spans = spansOf((provider) => {
    const tracer = provider.getTracer("agent");
    tracer.startSpan("never", { startTime: [NaN, -1] }).end([-5, Infinity]);
    tracer.startSpan("now").end();
  });
  expect(await exported(ours(), spans)).toBe(0);
  expect(bodies[0]?.body.includes("now")).toBe(true);
});

test("both requests of an exporter, the compared one and the next, are as OpenTelemetry's", async () => {
  const spans = withAttributes({ a: "b" });
  const exporter = ours();
  for (let n = 0; n < 2; n++) {
    const sent = await new Promise((resolve) => exporter.export(spans as unknown as ExportedSpan[], resolve));
    expect(sent).toMatchObject({ code: 0 });
  }
  await exporter.shutdown();
  await exported(new OTLPTraceExporter(options()) as unknown as SdkExporter, spans);
  const [first, second, theirs] = bodies;
  expect([first, second]).toEqual([theirs, theirs]);
});

test("a request that is refused is told as such", async () => {
  status = 400;
  expect(await exported(ours(), withAttributes({}))).not.toBe(0);
});

test.each([
  ["takes over after a first request of equal bytes", () => Buffer.of(1), 1],
  ["is not asked again after a first request of other bytes", () => Uint8Array.of(2), 3],
  ["is not asked again after it failed on the first request", () => expect.fail("broken"), 3],
])("our encoder %s", (_what, encodeOurs, theirsAsked) => {
  let asked = 0;
  const encode = comparedOnce(encodeOurs, () => {
    asked++;
    return Uint8Array.of(1);
  });
  for (let n = 0; n < 3; n++) expect([...(encode([]) ?? [])]).toEqual([1]);
  expect(asked).toBe(theirsAsked);
});

test("there is no exporter of ours without OpenTelemetry's", () => {
  expect(createSpanExporter("no-such-exporter", { ...options(), httpAgentOptions: () => new Agent() })).toBeUndefined();
});
