/**
 * `node examples/<agent>/main.ts [--json] [--scenario <name>]`: plays an example's scenarios and compares each verdict
 * with the expected one. Exit code 0: all as expected. 1: some not. 2: wrong usage.
 *
 * The model is a local one; with OPENAI_API_KEY (and OPENAI_BASE_URL, OPENAI_MODEL) it is the provider's. Spans stay in
 * the process unless OTEL_EXPORTER_OTLP_ENDPOINT says where to send them.
 */
import { parseArgs } from "node:util";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace";
import { configure, instrumentHttp } from "../../instrumentation/index.ts";
import { RunSpanProcessor } from "../../processor/span-processor.ts";
import type { ModelPlace } from "../local-model/converse.ts";
import { startLocalModel } from "../local-model/local-model.ts";
import { type Played, playScenario } from "./play-scenario.ts";
import { exampleTable } from "./example-table.ts";
import type { Example } from "./scenario.ts";

export async function runExample(example: Example): Promise<number> {
  const flags = flagsFrom(process.argv.slice(2));
  const chosen = example.scenarios.filter(({ name }) => flags?.scenario === undefined || flags.scenario === name);
  if (flags === undefined || chosen.length === 0) {
    const names = example.scenarios.map(({ name }) => name).join(", ");
    console.error(`usage: node examples/${example.agent}/main.ts [--json] [--scenario <${names}>]`);
    return 2;
  }
  const sdk = startTelemetry(example.agent);
  const model = await modelFor(example);
  const played: Played[] = [];
  try {
    for (const scenario of chosen) played.push(await playScenario(scenario, model.place));
  } finally {
    await example.dispose?.();
    await model.close();
    await sdk.shutdown();
  }
  const ok = played.every((one) => one.ok);
  if (flags.json) console.log(JSON.stringify({ agent: example.agent, ok, scenarios: played }, null, 2));
  else console.log(exampleTable(example, played));
  return ok ? 0 : 1;
}

function flagsFrom(args: string[]): { readonly json: boolean; readonly scenario: string | undefined } | undefined {
  try {
    const options = { json: { type: "boolean" }, scenario: { type: "string" } } as const;
    const { values } = parseArgs({ args, options });
    return { json: values.json ?? false, scenario: values.scenario };
  } catch {
    return undefined;
  }
}

/** As a service would, with an OpenTelemetry SDK of its own; the RunSpanProcessor judges before a run leaves the process. */
function startTelemetry(serviceName: string): NodeSDK {
  const isSent = process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] !== undefined;
  if (!isSent) configure({ endpoint: null, stateDirectory: null });
  const sending = isSent ? [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })] : [];
  const sdk = new NodeSDK({
    serviceName: process.env["OTEL_SERVICE_NAME"] ?? serviceName,
    autoDetectResources: false,
    metricReaders: [],
    logRecordProcessors: [],
    spanProcessors: [new RunSpanProcessor(), ...sending],
  });
  sdk.start();
  instrumentHttp();
  return sdk;
}

interface OpenModel {
  readonly place: ModelPlace;
  readonly close: () => Promise<void>;
}

async function modelFor({ agent, script }: Example): Promise<OpenModel> {
  const { OPENAI_API_KEY: key, OPENAI_BASE_URL: url, OPENAI_MODEL: name } = process.env;
  if (key !== undefined) {
    const place = { url: url ?? "https://api.openai.com/v1", name: name ?? "gpt-5-mini" };
    return { place, close: async () => {} };
  }
  const local = await startLocalModel(script === undefined ? {} : { [agent]: script });
  return { place: { url: local.url, name: agent }, close: local.close };
}
