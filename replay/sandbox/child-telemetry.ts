import { realNow, realRandomBytes } from "../../instrumentation/real-sources.ts";
import { asideFromAgent } from "./determinism/current-world.ts";
import { realTimes } from "./real-times.ts";

/** Spans leave at once, one by one: a batch in memory would be lost with exactly the runs that fail. */
export interface ChildTelemetry {
  /** Resolves when everything that ended has been sent. */
  flush(): Promise<void>;
}

const ADVICE =
  "a replay needs the OpenTelemetry SDK; install it with: " +
  "npm install --save-dev @opentelemetry/sdk-node @opentelemetry/exporter-trace-otlp-http";

/** Sets the process's OpenTelemetry SDK up to send to `tracesUrl`. Throws with advice when the SDK is not installed. */
export async function startChildTelemetry(tracesUrl: string): Promise<ChildTelemetry> {
  const { NodeSDK } = await optionalPeer(() => import("@opentelemetry/sdk-node"));
  const { OTLPTraceExporter } = await optionalPeer(() => import("@opentelemetry/exporter-trace-otlp-http"));
  // Its own limit of 30 requests at a time drops what comes beyond, and a replay needs every span.
  const exporter = new OTLPTraceExporter({ url: tracesUrl, concurrencyLimit: Number.MAX_SAFE_INTEGER });
  const sending = new Set<Promise<void>>();
  const flush = async (): Promise<void> => {
    while (sending.size > 0) await Promise.all(sending);
  };
  type Spans = Parameters<typeof exporter.export>[0];
  const times = realTimes<Spans[number]>(realNow);
  const send = (span: Spans[number]): void => {
    const { promise, resolve } = Promise.withResolvers<void>();
    sending.add(promise);
    asideFromAgent(() =>
      exporter.export([times.ofEnded(span)], () => {
        sending.delete(promise);
        resolve();
      }),
    );
  };
  const sdk = new NodeSDK({
    autoDetectResources: false,
    instrumentations: [],
    // Two replays of one fixture are two runs: their ids come from the machine, not from the fixture's seed.
    idGenerator: {
      generateTraceId: () => realRandomBytes(16).toString("hex"),
      generateSpanId: () => realRandomBytes(8).toString("hex"),
    },
    spanProcessors: [{ onStart: (span) => times.started(span), onEnd: send, forceFlush: flush, shutdown: flush }],
  });
  sdk.start();
  return { flush };
}

async function optionalPeer<Module>(load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") throw new Error(ADVICE, { cause: error });
    throw error;
  }
}
