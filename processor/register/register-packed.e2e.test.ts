import { once } from "node:events";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCollector, type LoopbackCollector } from "../../instrumentation/transport/testing/loopback-collector.ts";
import {
  createSdkConsumer,
  ended,
  packPackage,
  SDK_LINES,
  type Ended,
  type SdkConsumer,
} from "../testing/sdk-consumer.ts";
import { attributeOf, namesOf } from "./testing/registered-agent.ts";

/** The packed package beside what a service has installed: its own SDK of either line, or no SDK at all. */

const RUNTIME = ["zod", "@clickhouse", "commander", "import-in-the-middle", "require-in-the-middle"];
const program = (name: string): string => fileURLToPath(new URL(`./testing/${name}`, import.meta.url));

let directory: string;
let tarball: string;
let model: Server;
let modelUrl: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-packed-"));
  ({ tarball } = await packPackage(directory));
  model = createServer((request, response) => request.resume().on("end", () => response.end("forty-two")));
  await once(model.listen(0, "127.0.0.1"), "listening");
  modelUrl = `http://127.0.0.1:${(model.address() as AddressInfo).port}/ask`;
});
afterAll(async () => {
  model.close();
  await rm(directory, { recursive: true, force: true });
});

interface Served {
  readonly ended: Ended;
  /** What came to runproof's endpoint, and to the one the service's SDK exports to. */
  readonly ours: LoopbackCollector;
  readonly theirs: LoopbackCollector;
}

async function serve(consumer: SdkConsumer, agent: string, boundary: string): Promise<Served> {
  const [ours, theirs] = await Promise.all([startCollector(), startCollector()]);
  const at = join(consumer.folder, "agent.mjs");
  await copyFile(program(agent), at);
  const env = {
    PATH: process.env["PATH"] ?? "",
    MODEL_URL: modelUrl,
    RUNPROOF_BOUNDARY: boundary,
    RUNPROOF_AGENT_NAME: "server",
    RUNPROOF_ENDPOINT: ours.url,
    RUNPROOF_STATE_DIR: join(consumer.folder, "state"),
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: theirs.url,
    OTEL_METRICS_EXPORTER: "none",
    OTEL_LOGS_EXPORTER: "none",
    OTEL_LOG_LEVEL: "error",
  };
  const register = join(consumer.folder, "node_modules", "runproof", "dist", "processor", "register", "register.js");
  const result = await ended(at, [], { cwd: consumer.folder, env, node: ["--import", register] });
  await Promise.all([ours.close(), theirs.close(), consumer.remove()]);
  return { ended: result, ours, theirs };
}

describe.each(SDK_LINES)("a service with its own SDK %s", (line) => {
  it("keeps the global provider; runs are spans of its SDK, and their records go to runproof", async () => {
    const consumer = await createSdkConsumer({ line, tarball, modules: ["@opentelemetry", ...RUNTIME] });
    const served = await serve(consumer, "own-sdk-agent.mjs", "http");
    expect(served.ended).toEqual({ code: 0, stdout: "200 forty-two", stderr: "" });
    const call = `POST ${new URL(modelUrl).host}`;
    expect(namesOf(served.theirs)).toEqual([call, "invoke_agent server", "theirs"]);
    // Before its SDK was there, ours took the spans that nobody else did.
    expect(namesOf(served.ours)).toEqual(["before the SDK", "runproof.run close", "runproof.run start"]);
    const runIdOf = ({ spans }: LoopbackCollector, name: string) =>
      attributeOf(
        spans.find((span) => span.name === name),
        "runproof.run.id",
      );
    expect(runIdOf(served.theirs, call)).toBe(runIdOf(served.ours, "runproof.run start"));
  });
});

it("a service without any SDK package sends the same by the flush-now path", async () => {
  const consumer = await createSdkConsumer({ line: "3.x", tarball, modules: ["@opentelemetry/api", ...RUNTIME] });
  const served = await serve(consumer, "plain-agent.mjs", "process");
  expect(served.ended).toEqual({ code: 0, stdout: "200 forty-two", stderr: "" });
  expect(namesOf(served.ours)).toEqual([
    `POST ${new URL(modelUrl).host}`,
    "invoke_agent server",
    "runproof.run close",
    "runproof.run start",
  ]);
});
