import { createRequire } from "node:module";
import type { Tracer, TracerProvider } from "@opentelemetry/api";
import type { SdkSpan, SdkSpanProcessor } from "../sdk-span.ts";
import { PROTOBUF_EXPORTER } from "./sdk-settings.ts";
import { createSpanExporter } from "./span-exporter.ts";

/** What we use of an SDK's provider; SDK 2.12 and 3.x fit. */
export interface SdkProvider extends TracerProvider {
  getTracer(name: string, version?: string, options?: { schemaUrl?: string }): Tracer;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

export interface SdkExporter {
  export(spans: readonly SdkSpan[], done: (result: { readonly code: number; readonly error?: Error }) => void): void;
  shutdown(): Promise<void>;
}

type Sampler = object;

/** `@opentelemetry/sdk-trace` 2.12 and 3.x. */
export interface SdkTrace {
  readonly TracerProvider: new (options: {
    readonly resource: object;
    readonly sampler?: Sampler;
    readonly spanLimits?: object;
    readonly spanProcessors: readonly SdkSpanProcessor[];
  }) => SdkProvider;
  readonly AlwaysOnSampler: new () => Sampler;
  readonly AlwaysOffSampler: new () => Sampler;
  readonly ParentBasedSampler: new (options: { readonly root: Sampler }) => Sampler;
  readonly TraceIdRatioBasedSampler: new (ratio: number) => Sampler;
}

interface Resources {
  readonly resourceFromAttributes: (attributes: Readonly<Record<string, unknown>>) => object;
  readonly defaultResource: () => { merge(other: object): object };
}

export interface ExporterOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMillis: number;
  readonly httpAgentOptions: (protocol: string) => unknown;
}

export interface SdkPackages {
  readonly sdk: SdkTrace;
  readonly resources: Resources;
  createExporter(options: ExporterOptions): SdkExporter;
}

type Exporter = new (options: ExporterOptions) => SdkExporter;

/**
 * The OpenTelemetry SDK that is installed beside runproof, loaded synchronously; `undefined` when something of it is
 * missing. All of it is optional.
 */
export function loadSdkPackages(exporters: readonly string[]): SdkPackages | undefined {
  const require = createRequire(import.meta.url);
  try {
    const sdk = require("@opentelemetry/sdk-trace") as SdkTrace;
    const ofSdk = createRequire(require.resolve("@opentelemetry/sdk-trace"));
    const resources = ofSdk("@opentelemetry/resources") as Resources;
    const name = exporters.find((it) => isInstalled(require, it));
    if (name === undefined || typeof sdk.TracerProvider !== "function") return undefined;
    const { OTLPTraceExporter } = require(name) as { readonly OTLPTraceExporter: Exporter };
    const ours = name === PROTOBUF_EXPORTER ? createSpanExporter : () => undefined;
    return { sdk, resources, createExporter: (given) => ours(name, given) ?? new OTLPTraceExporter(given) };
  } catch {
    return undefined;
  }
}

function isInstalled(require: NodeJS.Require, name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}
