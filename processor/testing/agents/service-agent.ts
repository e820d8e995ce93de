/**
 * An agent in a process of its own: `node service-agent.ts <what> [argument]`. It prints `started <run id>` as soon as
 * `startRun()` has returned; what it does then is the first argument.
 */
import { writeFile } from "node:fs/promises";
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import {
  closeRun,
  defineContract,
  recordArtifact,
  runInContext,
  startRun,
  wrapTool,
  type Run,
} from "../../../instrumentation/index.ts";

const [what = "hang", argument = ""] = process.argv.slice(2);
const timeoutSeconds = Number(process.env["AGENT_TIMEOUT_SECONDS"] ?? "1");
const hangs = defineContract({ agent: "killed", limits: { timeoutSeconds } });
const works = defineContract({
  agent: "worker",
  artifacts: [{ name: "report", path: "report.md", minBytes: 5 }],
  sideEffects: { expected: [{ tool: "send", arguments: { to: "ops" } }] },
  tools: { allowed: ["send", "look"] },
  limits: { timeoutSeconds },
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const hang = (): void => void setInterval(() => {}, 60_000);

/** Two calls, an artifact, a close: everything the contract asks for. */
async function work(run: Run): Promise<void> {
  const folder = argument;
  const look = wrapTool({ name: "look", sideEffect: "read" }, (topic: string) => ({ topic, found: 3 }));
  const send = wrapTool({ name: "send", sideEffect: "network" }, (_message: { to: string }) => ({ id: "m-1" }));
  await runInContext(run, async () => {
    await look("tides");
    await writeFile(join(folder, "report.md"), "three findings");
    await recordArtifact(run, { name: "report", path: "report.md" });
    await send({ to: "ops" });
  });
  await closeRun(run, { claim: { outcome: "done" } });
}

async function withSdk(provider: boolean): Promise<() => Promise<void>> {
  if (!provider) return async () => {};
  const { NodeSDK } = await import("@opentelemetry/sdk-node");
  const { BatchSpanProcessor } = await import("@opentelemetry/sdk-trace");
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
  const url = `${process.env["RUNPROOF_ENDPOINT"]}/v1/traces`;
  const sdk = new NodeSDK({ spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url }) })] });
  sdk.start();
  return () => sdk.shutdown();
}

const stopSdk = await withSdk(what === "work-with-sdk");
const isWork = what.startsWith("work");
const run = await startRun(isWork ? works : hangs, isWork ? { cwd: argument, input: { topic: "tides" } } : {});
// A killed process would leave nothing to the next one.
flushCompileCache();
say(`started ${run.runId}`);
if (what === "hang") hang();
else if (what === "exit") process.exit(Number(argument));
else if (what === "work-when-told") {
  process.stdin.once("data", () => void work(run).then(() => process.stdin.destroy()));
} else if (isWork) {
  await work(run);
  await stopSdk();
}
// "end": falls off the end with its run open.
