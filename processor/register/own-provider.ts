import http from "node:http";
import https from "node:https";
import type { Environment } from "../../instrumentation/environment.ts";
import { parseKeyValues } from "../../instrumentation/environment.ts";
import { runtime } from "../../instrumentation/runtime.ts";
import { impatient } from "../../instrumentation/transport/impatient-agent.ts";
import { RunSpanProcessor } from "../span-processor.ts";
import { ExportQueue } from "./export-queue.ts";
import { recordFromSdkSpan } from "./record-from-sdk-span.ts";
import { loadSdkPackages, type SdkPackages, type SdkProvider } from "./sdk-packages.ts";
import { batchSettings, exporterPackages, exportTimeoutMillis, samplerFrom, spanLimits } from "./sdk-settings.ts";

export interface OwnProvider {
  readonly provider: SdkProvider;
  readonly queue: ExportQueue;
}

/**
 * A tracer provider of ours, for a service without one: judges runs, exports to where the records of runs go, and keeps
 * in the crash spool what could not be exported. It is registered nowhere. `undefined` where no SDK is installed or
 * nothing is to be sent; then spans of runs go out one by one on the flush-now path.
 */
export function createOwnProvider(env: Environment): OwnProvider | undefined {
  const { endpoint } = runtime().options;
  const packages = endpoint === null ? undefined : loadSdkPackages(exporterPackages(env));
  if (packages === undefined || endpoint === null) return undefined;
  const queue = new ExportQueue({
    ...batchSettings(env),
    exporter: createExporter(packages, endpoint, env),
    canExport: () => runtime().channel.canDeliver(),
    keep: (spans) => runtime().channel.keep(spans.map(recordFromSdkSpan)),
  });
  const sampler = samplerFrom(env, packages.sdk);
  const provider = new packages.sdk.TracerProvider({
    resource: resourceFrom(packages, env),
    ...(sampler === undefined ? {} : { sampler }),
    spanLimits: spanLimits(env),
    // The verdict is set while a span ends, and read by the queue after it has.
    spanProcessors: [new RunSpanProcessor(), queue],
  });
  return { provider, queue };
}

function createExporter(packages: SdkPackages, url: string, env: Environment) {
  const { headers } = runtime().options;
  return packages.createExporter({
    url,
    headers,
    timeoutMillis: exportTimeoutMillis(env),
    httpAgentOptions: (protocol) =>
      impatient(protocol === "http:" ? new http.Agent(AGENT) : new https.Agent({ ...AGENT })),
  });
}

const AGENT = { keepAlive: true, maxSockets: 4 } as const;

/** What the records of runs say of their sender wins, so that both are found together. */
const resourceFrom = ({ resources }: SdkPackages, env: Environment): object =>
  resources.defaultResource().merge(
    resources.resourceFromAttributes({
      ...parseKeyValues(env["OTEL_RESOURCE_ATTRIBUTES"] ?? ""),
      "telemetry.distro.name": "runproof",
      ...runtime().resource.attributes,
    }),
  );
