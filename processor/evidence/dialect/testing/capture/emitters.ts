/** A real producer of GenAI telemetry, pinned, and the agent that is run with it. */
export interface Emitter {
  /** First part of the names of its bodies. */
  readonly producer: string;
  readonly version: string;
  /** File in `agents/`. */
  readonly agent: string;
  /** Package that the agent loads as its instrumentation; default none. */
  readonly instrumentation?: string;
  readonly packages: Readonly<Record<string, string>>;
}

/** `whole`: the model answers at once; `stream`: it streams. */
export const SCENARIOS = ["whole", "stream"] as const;
export type Scenario = (typeof SCENARIOS)[number];

export const bodyFileName = (
  { producer, version }: Pick<Emitter, "producer" | "version">,
  scenario: Scenario,
): string => `${producer}-${version}-${scenario}.otlp.json`;

const SDK_3 = {
  "@opentelemetry/api": "1.10.0",
  "@opentelemetry/context-async-hooks": "3.1.1",
  "@opentelemetry/exporter-logs-otlp-http": "0.301.0",
  "@opentelemetry/exporter-trace-otlp-http": "0.301.0",
  "@opentelemetry/resources": "3.1.1",
  "@opentelemetry/sdk-logs": "3.1.1",
  "@opentelemetry/sdk-trace": "3.1.1",
};

const sdk2 = (api: string) => ({
  "@opentelemetry/api": api,
  "@opentelemetry/api-logs": "0.223.1",
  "@opentelemetry/context-async-hooks": "2.12.0",
  "@opentelemetry/exporter-logs-otlp-http": "0.223.1",
  "@opentelemetry/exporter-trace-otlp-http": "0.223.1",
  "@opentelemetry/resources": "2.12.1",
  "@opentelemetry/sdk-logs": "0.223.1",
  "@opentelemetry/sdk-trace": "2.12.1",
});

const openai = (instrumentation: string, version: string, packages: Emitter["packages"]): Emitter => ({
  producer: instrumentation.slice(1).replace("/", "-"),
  version,
  agent: "openai-agent.cjs",
  instrumentation,
  packages: { ...packages, [instrumentation]: version },
});

const aiSdk = (version: string, packages: Emitter["packages"]): Emitter => ({
  producer: "ai",
  version,
  agent: "ai-sdk-agent.mjs",
  packages: { ...packages, ai: version, zod: "4.6.7" },
});

/** Each with the OpenTelemetry SDK major, and the client library major, that it supports. */
export const EMITTERS: readonly Emitter[] = [
  openai("@arizeai/openinference-instrumentation-openai", "4.2.7", { ...sdk2("1.9.1"), openai: "7.57.0" }),
  openai("@traceloop/instrumentation-openai", "0.27.0", { ...sdk2("1.9.1"), openai: "6.30.1" }),
  openai("@opentelemetry/instrumentation-openai", "0.22.0", { ...SDK_3, openai: "6.30.1" }),
  aiSdk("5.0.277", { ...sdk2("1.9.0"), "@ai-sdk/openai": "2.0.131" }),
  aiSdk("6.0.326", { ...sdk2("1.9.1"), "@ai-sdk/openai": "3.0.141" }),
  aiSdk("7.0.173", { ...sdk2("1.9.1"), "@ai-sdk/openai": "4.0.118", "@ai-sdk/otel": "1.0.173" }),
  {
    producer: "anthropic-ai-sdk",
    version: "1.12.0",
    agent: "anthropic-agent.mjs",
    packages: { ...SDK_3, "@anthropic-ai/sdk": "1.12.0", zod: "4.6.7" },
  },
];
