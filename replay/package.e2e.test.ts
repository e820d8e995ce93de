import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createSdkConsumer,
  type Ended,
  ended,
  packPackage,
  type Packed,
  SDK_LINES,
  type SdkConsumer,
  type SdkConsumerOptions,
} from "../processor/testing/sdk-consumer.ts";

/** The package as it would be published: packed, unpacked elsewhere, with only what a test says within its reach. */

const root = fileURLToPath(new URL("..", import.meta.url));
/** What installing runproof and its required peer brings. */
const REQUIRED = [
  "@opentelemetry/api",
  "zod",
  "@clickhouse",
  "commander",
  "import-in-the-middle",
  "require-in-the-middle",
];

let directory: string;
let packed: Packed;
const consumers: SdkConsumer[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-pack-"));
  packed = await packPackage(directory);
});

afterAll(async () => {
  await Promise.all([
    ...consumers.map((consumer) => consumer.remove()),
    rm(directory, { recursive: true, force: true }),
  ]);
});

async function install(options: Omit<SdkConsumerOptions, "tarball">): Promise<SdkConsumer> {
  const consumer = await createSdkConsumer({ ...options, tarball: packed.tarball });
  consumers.push(consumer);
  return consumer;
}

/** Writes a script into the consumer and runs it. */
async function runText(consumer: SdkConsumer, name: string, text: string): Promise<Ended> {
  const script = join(directory, name);
  await writeFile(script, text);
  return await consumer.run(script);
}

interface Manifest {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const manifestOf = async (consumer: SdkConsumer): Promise<Manifest> =>
  JSON.parse(await readFile(join(consumer.folder, "node_modules", "runproof", "package.json"), "utf8")) as Manifest;

describe("the tarball", () => {
  it("holds the built code, the SQL, the licence and the readme, and nothing else", () => {
    const wanted =
      /^(dist\/(instrumentation|processor|replay)\/.*\.(js|d\.ts|js\.map)|deploy\/clickhouse\/\d{4}_\w+\.sql)$/;
    const rest = packed.files.filter((path) => !wanted.test(path));
    expect(rest.sort()).toEqual(["LICENSE", "README.md", "package.json"]);
    expect(packed.files.filter((path) => /\.test\.|\/testing\/|tsbuildinfo|(?<!\.d)\.ts$/.test(path))).toEqual([]);
    expect(packed.files.filter((path) => path.endsWith(".sql")).length).toBeGreaterThan(0);
  });

  it("weighs less than a megabyte", () => {
    expect(packed.size).toBeLessThan(1_000_000);
    expect(packed.unpackedSize).toBeLessThan(4_000_000);
  });
});

describe("importing runproof", () => {
  it.each(["runproof", "runproof/instrumentation"])(
    "%s loads @opentelemetry/api, zod and built-ins only",
    async (name) => {
      const consumer = await install({ line: "3.x", modules: ["@opentelemetry/api", "zod"] });
      const script = fileURLToPath(new URL("./testing/loaded-modules.mjs", import.meta.url));
      const ran = await consumer.run(script, [name]);
      expect(ran).toMatchObject({ code: 0, stderr: "" });
      const modules = JSON.parse(ran.stdout) as string[];
      const homeOf = (url: string): string =>
        /^node:|.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(url)?.[0].replace(/.*\/node_modules\//, "") ?? url;
      const homes = new Set(modules.map(homeOf));
      expect([...homes].sort()).toEqual(["@opentelemetry/api", "node:", "runproof", "zod"]);
      const own = modules.filter((url) => url.includes("/runproof/"));
      expect(own.filter((url) => !url.includes("/runproof/dist/instrumentation/"))).toEqual([]);
      expect(own.length).toBeGreaterThan(20);
    },
  );

  it("from CommonJS works by require()", async () => {
    const consumer = await install({ line: "2.x", modules: REQUIRED });
    const ran = await runText(
      consumer,
      "main.cjs",
      `const { defineContract, withRun } = require("runproof");
       const { RunSpanProcessor, judge } = require("runproof/processor");
       const replay = require("runproof/replay");
       console.log(typeof withRun, defineContract({ agent: "a" }).agent, new RunSpanProcessor().onEnd.length, typeof judge, typeof replay);`,
    );
    expect(ran).toEqual({ code: 0, stdout: "function a 1 function object\n", stderr: "" });
  });
});

describe.each(SDK_LINES)("the types, beside SDK %s", (line) => {
  it("hold in a strict program that also checks its libraries", async () => {
    const consumer = await install({ line });
    await symlink(join(root, "node_modules", "@types"), join(consumer.folder, "node_modules", "@types"), "junction");
    await writeFile(join(consumer.folder, "main.ts"), CONSUMER_OF_TYPES);
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const options = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"];
    const target = [
      "--module",
      "nodenext",
      "--target",
      "es2024",
      "--lib",
      "es2024,esnext.disposable",
      "--types",
      "node",
    ];
    const args = [...options, ...target, "--skipLibCheck", "false", "main.ts"];
    const ran = await ended(tsc, args, { cwd: consumer.folder, env: { PATH: process.env["PATH"] ?? "" } });
    expect(ran).toEqual({ code: 0, stdout: "", stderr: "" });
  });
});

const CONSUMER_OF_TYPES = `
import { NodeSDK } from "@opentelemetry/sdk-node";
import type { SpanProcessor } from "@opentelemetry/sdk-trace";
import { defineContract, recordArtifact, withRun, wrapTool, type RunContract, type Verdict } from "runproof";
import * as instrumentation from "runproof/instrumentation";
import { RunSpanProcessor, startService, loadServiceConfig, judge } from "runproof/processor";
import * as replay from "runproof/replay";

const processor: SpanProcessor = new RunSpanProcessor({ maxRuns: 10 });
export const sdk = new NodeSDK({ spanProcessors: [processor] });
const contract: RunContract = defineContract({ agent: "a", artifacts: [{ name: "r", path: "r.txt" }] });
const double = wrapTool({ name: "double", sideEffect: "read" }, async ({ n }: { n: number }) => n * 2);
let verdict: Verdict | null = null;
const answer: number = await withRun(
  contract,
  async (run) => {
    await recordArtifact(run, { name: "r", path: "r.txt" });
    return await double({ n: 1 });
  },
  { onClosed: (closed) => void (verdict = closed.verdict) },
);
// @ts-expect-error a contract without an agent is none
defineContract({});
// @ts-expect-error a tool's argument has its type
await double({ n: "1" });
export { answer, instrumentation, judge, loadServiceConfig, replay, startService, verdict };
`;

describe("the programs", () => {
  it("start, and tell their use and version", async () => {
    const consumer = await install({ line: "3.x", modules: REQUIRED });
    const { bin, version } = await manifestOf(consumer);
    expect(Object.keys(bin).sort()).toEqual(["agent-replay", "runproof"]);
    for (const [name, path] of Object.entries(bin)) {
      const entry = join(consumer.folder, "node_modules", "runproof", path);
      expect(await readFile(entry, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
      const options = { cwd: consumer.folder, env: { PATH: process.env["PATH"] ?? "" } };
      expect((await ended(entry, ["--help"], options)).stdout).toMatch(new RegExp(`^Usage: ${name} `));
      expect(await ended(entry, ["--version"], options)).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    }
  });
});

describe("a missing optional peer is told with what to install", () => {
  it("chdb, when the embedded store is asked for", async () => {
    const consumer = await install({ line: "3.x", modules: REQUIRED });
    const entry = join(consumer.folder, "node_modules", "runproof", "dist", "replay", "cli.js");
    const args = [
      "serve",
      "--port",
      "0",
      "--grpc-port",
      "0",
      "--clickhouse-port",
      "0",
      "--admin-port",
      "0",
      "--data-dir",
      "data",
    ];
    const ran = await ended(entry, args, { cwd: consumer.folder, env: { PATH: process.env["PATH"] ?? "" } });
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(/npm install chdb/);
  });

  it.each([
    ["@opentelemetry/sdk-node", ["@opentelemetry/exporter-trace-otlp-http"]],
    ["@opentelemetry/exporter-trace-otlp-http", ["@opentelemetry/sdk-node"]],
  ])("%s, when an agent is replayed", async (_missing, others) => {
    const consumer = await install({ line: "3.x", modules: [...REQUIRED, ...others] });
    await writeFile(join(consumer.folder, "agent.mjs"), "export default async () => 'done';");
    const entry = join(consumer.folder, "node_modules", "runproof", "dist", "replay", "agent-replay.js");
    const fixture = join(root, "fixtures", "agent_failure_forensics", "missing_artifact_ref");
    const args = ["--fixture", fixture, "--agent", "agent.mjs", "--no-store"];
    const ran = await ended(entry, args, { cwd: consumer.folder, env: { PATH: process.env["PATH"] ?? "" } });
    expect(ran.code).toBe(3);
    expect(ran.stdout + ran.stderr).toMatch(/npm install --save-dev @opentelemetry\/sdk-node @opentelemetry\/exporter/);
  });
});

describe("the example of an agent with its own SDK 2.x", () => {
  it("runs as its readme says, and tells the verdict", async () => {
    const consumer = await install({ line: "2.x" });
    const agent = join(root, "examples", "otel-sdk-2x", "agent.mjs");
    const ran = await consumer.run(agent, ["Ada"], { RUNPROOF_ENDPOINT: "off", RUNPROOF_STATE_DIR: "off" });
    expect(ran).toMatchObject({ code: 0, stderr: "verdict: passed\n" });
    expect(ran.stdout).toContain("'runproof.verdict.status': 'passed'");
  });
});
