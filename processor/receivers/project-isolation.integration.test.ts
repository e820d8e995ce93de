import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAuthenticator } from "../auth/authenticator.ts";
import { tokenSha256 } from "../auth/tokens.ts";
import type { LogRow, SpanRow } from "../clickhouse/rows.ts";
import { encodeLogsJson, encodeTracesJson } from "../otlp/testing/encode-json.ts";
import { encodeLogsProtobuf, encodeTracesProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { attribute, logRecord, logs, span, traces } from "../otlp/testing/model-builders.ts";
import { createOtlpGrpcReceiver, type OtlpGrpcReceiver } from "./otlp-grpc-receiver.ts";
import { createOtlpHttpReceiver, type OtlpHttpReceiver } from "./otlp-http-receiver.ts";
import { createTestGrpcClient, LOGS_METHOD, type TestGrpcClient, TRACES_METHOD } from "./testing/grpc-client.ts";
import { createRecordingConsumer } from "./testing/recording-consumer.ts";

/** Three projects with tokens: whatever a request says, it is stored under the project of its credential or not at all. */

const PROJECTS = ["shop", "bank", "lab"] as const;
type Project = (typeof PROJECTS)[number];

const tokenOf = (project: Project): string => `token-of-${project}-0123456789`;
const expiredTokenOf = (project: Project): string => `expired-${project}-0123456789`;
const readerTokenOf = (project: Project): string => `reader-${project}-0123456789`;
const neighbourOf = (project: Project): Project => PROJECTS[(PROJECTS.indexOf(project) + 1) % PROJECTS.length]!;

const authenticator = createAuthenticator({
  tokens: PROJECTS.flatMap((project) => [
    { sha256: tokenSha256(tokenOf(project)), project, scopes: ["write" as const] },
    { sha256: tokenSha256(expiredTokenOf(project)), project, scopes: ["write" as const], expiresAtMillis: 1 },
    { sha256: tokenSha256(readerTokenOf(project)), project, scopes: ["read" as const] },
  ]),
});

/** By kind of credential: the header, and whose data it stores. */
const CREDENTIALS: Readonly<Record<string, (own: Project) => { header?: string; stores?: Project }>> = {
  own: (own) => ({ header: `Bearer ${tokenOf(own)}`, stores: own }),
  "another project's": (own) => ({ header: `Bearer ${tokenOf(neighbourOf(own))}`, stores: neighbourOf(own) }),
  wrong: (own) => ({ header: `Bearer ${tokenOf(own)}x` }),
  missing: () => ({}),
  expired: (own) => ({ header: `Bearer ${expiredTokenOf(own)}` }),
  garbled: (own) => ({ header: `Bearer ${tokenOf(own)} ${tokenOf(own)}` }),
};

const SPOOFS = ["resource attribute", "record attribute", "header", "none"] as const;
type Spoof = (typeof SPOOFS)[number];
type Signal = "traces" | "logs";
type Wire = "HTTP protobuf" | "HTTP JSON" | "gRPC";

const spansConsumer = createRecordingConsumer<SpanRow>();
const logsConsumer = createRecordingConsumer<LogRow>();
let http: OtlpHttpReceiver;
let grpc: OtlpGrpcReceiver;
let client: TestGrpcClient;

beforeAll(async () => {
  const options = { port: 0, traces: spansConsumer, logs: logsConsumer, authenticator };
  http = createOtlpHttpReceiver(options);
  grpc = createOtlpGrpcReceiver(options);
  await Promise.all([http.start(), grpc.start()]);
  client = createTestGrpcClient(grpc.address().port);
});

afterAll(async () => {
  client.close();
  await Promise.all([http.shutdown(), grpc.shutdown()]);
});

beforeEach(() => {
  spansConsumer.rows.length = 0;
  logsConsumer.rows.length = 0;
});

function bodyOf(signal: Signal, json: boolean, { spoof, claimed }: { spoof: Spoof; claimed: Project }): Uint8Array {
  const claim = [attribute("runproof.project", claimed)];
  const resource = spoof === "resource attribute" ? claim : [];
  const attributes = spoof === "record attribute" ? claim : [];
  if (signal === "traces") {
    const model = traces([span({ attributes }), span({ attributes, spanId: "eee19b7ec3c1b175" })], resource);
    return json ? encodeTracesJson(model) : encodeTracesProtobuf(model);
  }
  const model = logs([logRecord({ attributes })], resource);
  return json ? encodeLogsJson(model) : encodeLogsProtobuf(model);
}

/** What a sender sees: status and everything that could tell two refusals apart. */
async function send(wire: Wire, signal: Signal, body: Uint8Array, headers: Record<string, string>): Promise<string> {
  if (wire === "gRPC") {
    const method = signal === "traces" ? TRACES_METHOD : LOGS_METHOD;
    const { code, details, statusDetails } = await client.call(method, body, { headers });
    return `${code} ${details} ${statusDetails?.toString("hex") ?? ""}`.trim();
  }
  const type = wire === "HTTP JSON" ? "application/json" : "application/x-protobuf";
  const response = await fetch(`http://127.0.0.1:${http.address().port}/v1/${signal}`, {
    method: "POST",
    headers: { ...headers, "content-type": type },
    body: Buffer.from(body),
  });
  const told = [...response.headers].filter(([name]) => name !== "date").join(" ");
  return `${response.status} ${told} ${await response.text()}`;
}

const cases = PROJECTS.flatMap((own) =>
  (["traces", "logs"] as const).flatMap((signal) =>
    (["HTTP protobuf", "HTTP JSON", "gRPC"] as const).flatMap((wire) =>
      Object.keys(CREDENTIALS).flatMap((credential) =>
        SPOOFS.map((spoof) => ({ own, signal, wire, credential, spoof })),
      ),
    ),
  ),
);

const refusals = new Map<Wire, Set<string>>();

describe(`${cases.length} requests of three projects`, () => {
  it.each(cases)("$own, $signal over $wire, $credential token, spoofed $spoof", async (one) => {
    const { own, signal, wire, credential, spoof } = one;
    const { header, stores } = CREDENTIALS[credential]!(own);
    // Always a claim to be somebody the credential does not stand for.
    const claimed = PROJECTS.find((project) => project !== (stores ?? own))!;
    const body = bodyOf(signal, wire === "HTTP JSON", { spoof, claimed });
    const answer = await send(wire, signal, body, {
      ...(header !== undefined && { authorization: header }),
      ...(spoof === "header" && { "x-runproof-project": claimed, "runproof.project": claimed }),
    });
    const rows = [...spansConsumer.rows, ...logsConsumer.rows];
    if (stores === undefined) {
      expect(answer).toMatch(wire === "gRPC" ? /^16 / : /^401 /);
      expect(rows).toEqual([]);
      refusals.set(wire, (refusals.get(wire) ?? new Set()).add(answer));
      return;
    }
    expect(answer).toMatch(wire === "gRPC" ? /^0/ : /^200 /);
    expect(rows).toHaveLength(signal === "traces" ? 2 : 1);
    for (const row of rows) {
      const attributes = "SpanAttributes" in row ? row.SpanAttributes : row.LogAttributes;
      expect(row.ResourceAttributes["runproof.project"]).toBe(stores);
      expect(attributes["runproof.project"]).toBe(spoof === "record attribute" ? stores : undefined);
      const spoofed = spoof === "resource attribute" ? row.ResourceAttributes : attributes;
      const kept = spoof === "resource attribute" || spoof === "record attribute" ? claimed : undefined;
      expect(spoofed["runproof.project.claimed"]).toBe(kept);
    }
  });

  it("tells unknown, wrong, expired, garbled and missing tokens apart by nothing", () => {
    expect([...refusals].map(([wire, answers]) => [wire, answers.size])).toEqual([
      ["HTTP protobuf", 1],
      ["HTTP JSON", 1],
      ["gRPC", 1],
    ]);
    const texts = [...refusals.values()].flatMap((answers) => [...answers]).join("\n");
    for (const project of PROJECTS) expect(texts).not.toContain(project);
  });
});

describe("a token without the scope to write", () => {
  it.each(PROJECTS)("of %s is forbidden on every wire", async (project) => {
    const headers = { authorization: `Bearer ${readerTokenOf(project)}` };
    const body = bodyOf("traces", false, { spoof: "none", claimed: project });
    expect(await send("HTTP protobuf", "traces", body, headers)).toMatch(/^403 /);
    expect(await send("gRPC", "traces", body, headers)).toBe("7 The credential does not allow this.");
    expect(spansConsumer.rows).toEqual([]);
  });
});

it("a refused request is answered before its body has come", async () => {
  const { request } = await import("node:http");
  const { port } = http.address();
  const headers = { "content-type": "application/json", "content-length": "1000000" };
  const asked = request({ port, host: "127.0.0.1", method: "POST", path: "/v1/traces", headers });
  asked.on("error", () => {});
  asked.flushHeaders();
  const status = await new Promise((resolve) => asked.once("response", (response) => resolve(response.statusCode)));
  expect(status).toBe(401);
  asked.destroy();
});

it("paths that are not there need a credential too, and /health needs none", async () => {
  const url = `http://127.0.0.1:${http.address().port}`;
  expect((await fetch(`${url}/v1/secret`)).status).toBe(401);
  expect((await fetch(`${url}/health`)).status).toBe(200);
});

it("without tokens the data's own project holds", async () => {
  const consumer = createRecordingConsumer<SpanRow>();
  const open = createOtlpHttpReceiver({ port: 0, traces: consumer, logs: logsConsumer });
  await open.start();
  const body = bodyOf("traces", true, { spoof: "resource attribute", claimed: "lab" });
  const url = `http://127.0.0.1:${open.address().port}/v1/traces`;
  await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: Buffer.from(body) });
  await open.shutdown();
  expect({ ...consumer.rows[0]?.ResourceAttributes }).toEqual({ "runproof.project": "lab" });
});

it("a receiver without credentials does not start on the network unless it is told to", async () => {
  const sinks = { traces: spansConsumer, logs: logsConsumer };
  for (const create of [createOtlpHttpReceiver, createOtlpGrpcReceiver]) {
    await expect(create({ ...sinks, port: 0, host: "0.0.0.0" }).start()).rejects.toThrow("refusing to listen");
  }
});
