import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { context, trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { InMemorySpanExporter, SimpleSpanProcessor, type Sampler, type SpanProcessor } from "@opentelemetry/sdk-trace";
import { setCallInterceptor } from "../../capture/call-interceptor.ts";
import type { RunproofOptions } from "../../options.ts";
import { configure, runtime } from "../../runtime.ts";
import * as semconv from "../../semconv.ts";
import { startCollector, type LoopbackCollector } from "../../transport/testing/loopback-collector.ts";

/** A span as a backend sees it, whichever path it took. */
export interface SeenSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly startUnixNano: bigint;
  readonly endUnixNano: bigint;
  readonly error: boolean;
  readonly attributes: Readonly<Record<string, string | number>>;
}

/** runproof set up against a collector on loopback, with or without an OpenTelemetry SDK. */
export interface Recorder {
  readonly collector: LoopbackCollector;
  readonly folder: string;
  readonly stateDirectory: string;
  /** Every request body that arrived, answered or not. */
  readonly bodies: string[];
  /** Spans of the flush-now path. */
  direct(): SeenSpan[];
  /** Spans the SDK exported. */
  exported(): SeenSpan[];
  all(): SeenSpan[];
  /** Names and attributes of the span events of the SDK's spans. */
  sdkEvents(): unknown[];
  /** Waits for what was put off because too much was under way at once. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface RecorderOptions extends RunproofOptions {
  readonly sdk?: boolean | { readonly sampler?: Sampler; readonly processors?: readonly SpanProcessor[] };
  /** The collector takes requests and never answers. */
  readonly hangs?: boolean;
}

export async function startRecorder({
  sdk = false,
  hangs = false,
  ...options
}: RecorderOptions = {}): Promise<Recorder> {
  const folder = await mkdtemp(join(tmpdir(), "runproof-run-"));
  const stateDirectory = options.stateDirectory ?? join(folder, "state");
  const collector = await startCollector();
  const bodies: string[] = [];
  collector.answer = (response, body) => {
    bodies.push(body);
    if (!hangs) response.writeHead(200, { "content-type": "application/json" }).end("{}");
  };
  const exporter = new InMemorySpanExporter();
  const given = typeof sdk === "object" ? sdk : {};
  const node =
    sdk === false
      ? undefined
      : new NodeSDK({
          autoDetectResources: false,
          instrumentations: [],
          metricReaders: [],
          logRecordProcessors: [],
          spanProcessors: [...(given.processors ?? []), new SimpleSpanProcessor({ exporter })],
          ...(given.sampler === undefined ? {} : { sampler: given.sampler }),
        });
  node?.start();
  configure({ endpoint: collector.url, deadlineMillis: 10_000, serviceName: "tester", ...options, stateDirectory });
  const { channel } = runtime();
  const direct = (): SeenSpan[] => bodies.flatMap(spansOfBody);
  const exported = (): SeenSpan[] => exporter.getFinishedSpans().map(fromSdkSpan);
  return {
    collector,
    folder,
    stateDirectory,
    bodies,
    direct,
    exported,
    all: () => [...direct(), ...exported()],
    sdkEvents: () => exporter.getFinishedSpans().flatMap((span) => span.events),
    flush: () => channel.flush(5_000),
    close: async () => {
      setCallInterceptor(undefined);
      channel.close();
      await node?.shutdown();
      trace.disable();
      context.disable();
      await collector.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface OtlpSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: { stringValue?: string; intValue?: string } }[];
}

function spansOfBody(body: string): SeenSpan[] {
  const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[] };
  return resourceSpans
    .flatMap((resource) => resource.scopeSpans.flatMap((scope) => scope.spans))
    .map((span) => ({
      ...span,
      startUnixNano: BigInt(span.startTimeUnixNano),
      endUnixNano: BigInt(span.endTimeUnixNano),
      error: span.status.code === 2,
      attributes: Object.fromEntries(
        span.attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]),
      ),
    }));
}

type FinishedSpan = ReturnType<InMemorySpanExporter["getFinishedSpans"]>[number];

const fromSdkSpan = (span: FinishedSpan): SeenSpan => ({
  name: span.name,
  ...span.spanContext(),
  parentSpanId: span.parentSpanContext?.spanId ?? "",
  startUnixNano: nanos(span.startTime),
  endUnixNano: nanos(span.endTime),
  error: span.status.code === 2,
  attributes: span.attributes as SeenSpan["attributes"],
});

const nanos = ([seconds, rest]: readonly [number, number]): bigint => BigInt(seconds) * 1_000_000_000n + BigInt(rest);

/** The one record or root span of a kind. */
export function only(spans: readonly SeenSpan[], event: string): SeenSpan {
  const found = spans.filter((span) => span.attributes[semconv.ATTR_RUN_EVENT] === event);
  if (found.length !== 1) throw new Error(`${found.length} spans of the event ${event}`);
  return found[0] as SeenSpan;
}

export const calls = (spans: readonly SeenSpan[]): SeenSpan[] =>
  spans.filter((span) => span.attributes[semconv.ATTR_CALL_KIND] !== undefined);

export const jsonOf = (span: SeenSpan, name: string): never => JSON.parse(String(span.attributes[name])) as never;

export const evidenceOf = (span: SeenSpan): Record<string, never> => jsonOf(span, semconv.ATTR_EVIDENCE);
