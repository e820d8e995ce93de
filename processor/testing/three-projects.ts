import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Scope } from "../auth/identity.ts";
import { tokenSha256 } from "../auth/tokens.ts";
import { encodeLogsJson, encodeTracesJson } from "../otlp/testing/encode-json.ts";
import { encodeLogsProtobuf, encodeTracesProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { attribute, logRecord, logs, span, stringValue, traces } from "../otlp/testing/model-builders.ts";
import { LOGS_METHOD, type TestGrpcClient, TRACES_METHOD } from "../receivers/testing/grpc-client.ts";

/** Three projects that share run ids, trace ids and one store, and every kind of credential of each. */
export const PROJECTS = ["shop", "bank", "lab"] as const;
export type Project = (typeof PROJECTS)[number];

export const neighbourOf = (project: Project): Project =>
  PROJECTS[(PROJECTS.indexOf(project) + 1) % PROJECTS.length] ?? "shop";

/** Stands in every value a project sends, and nowhere else. */
export const canaryOf = (project: Project): string => `zq7-${project}-canary`;

export const SHARED_TRACE_ID = "5b8efff798038103d269b633813fc60c";
export const SHARED_RUN_ID = "run-shared";

export type Credential = "own" | "none" | "wrong" | "expired" | "another" | "write-only" | "read-only" | "admin";

/** The token of a credential, `undefined` for none. `own` may read and write. */
export function tokenOf(credential: Credential, project: Project): string | undefined {
  if (credential === "none") return undefined;
  if (credential === "another") return tokenOf("own", neighbourOf(project));
  return `token-${credential}-of-${project}-0123456789`;
}

/** Half of the tokens in clear, half as hashes: the file takes both. */
export async function writeTokensFile(directory: string): Promise<string> {
  const token = (credential: Credential, project: Project, scopes: readonly Scope[], more: object = {}) => {
    const text = tokenOf(credential, project) ?? "";
    return { ...(project === "shop" ? { token: text } : { sha256: tokenSha256(text) }), project, scopes, ...more };
  };
  const tokens = PROJECTS.flatMap((project) => [
    token("own", project, ["read", "write"]),
    token("expired", project, ["read", "write", "admin"], { expiresAt: "2020-01-01T00:00:00Z" }),
    token("write-only", project, ["write"]),
    token("read-only", project, ["read"]),
    token("admin", project, ["admin"]),
  ]);
  const path = join(directory, "tokens.json");
  await writeFile(path, JSON.stringify({ tokens }));
  return path;
}

export const WIRES = [
  "HTTP protobuf traces",
  "HTTP JSON traces",
  "HTTP protobuf logs",
  "HTTP JSON logs",
  "gRPC traces",
  "gRPC logs",
] as const;
export type Wire = (typeof WIRES)[number];

/** Where a body says that it belongs to somebody else. */
export const CLAIMS = ["nothing", "resource", "record", "resource three times"] as const;
export type Claim = (typeof CLAIMS)[number];

export interface SentBody {
  /** Name of the span, event name of the log record. */
  readonly name: string;
  readonly project: Project;
  readonly claim: Claim;
}

/** A span or log record full of the project's canary, with ids that all projects use. */
export function bodyOf(wire: Wire, { name, project, claim }: SentBody): Uint8Array {
  const canary = canaryOf(project);
  const claimed = (value: string) => attribute("runproof.project", value);
  const neighbour = neighbourOf(project);
  const resource = {
    nothing: [],
    record: [],
    resource: [claimed(neighbour)],
    "resource three times": [claimed(neighbour), claimed(project), claimed(neighbourOf(neighbour))],
  }[claim];
  const resourceAttributes = [attribute("service.name", `${canary}-service`), ...resource];
  const attributes = [
    attribute(`${canary}-key`, `${canary}-value`),
    ...(claim === "record" ? [claimed(neighbour)] : []),
  ];
  const json = wire.includes("JSON");
  if (wire.endsWith("traces")) {
    const event = { timeUnixNano: 1n, name: `${canary}-event`, attributes };
    const model = traces([span({ name, attributes, traceId: SHARED_TRACE_ID, events: [event] })], resourceAttributes);
    return json ? encodeTracesJson(model) : encodeTracesProtobuf(model);
  }
  const record = logRecord({
    attributes,
    eventName: name,
    body: stringValue(`${canary}-body`),
    traceId: SHARED_TRACE_ID,
  });
  const model = logs([record], resourceAttributes);
  return json ? encodeLogsJson(model) : encodeLogsProtobuf(model);
}

export interface Senders {
  readonly otlpUrl: string;
  readonly grpc: TestGrpcClient;
}

/** What a sender is told: the status, and all the rest of the answer. */
export interface SenderAnswer {
  readonly status: number;
  readonly told: string;
}

export async function send(
  { otlpUrl, grpc }: Senders,
  wire: Wire,
  { body, token }: { readonly body: Uint8Array; readonly token: string | undefined },
): Promise<SenderAnswer> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const signal = wire.endsWith("traces") ? "traces" : "logs";
  if (wire.startsWith("gRPC")) {
    const answer = await grpc.call(signal === "traces" ? TRACES_METHOD : LOGS_METHOD, body, { headers });
    return {
      status: answer.code,
      told: `${answer.details} ${String(answer.statusDetails ?? "")} ${String(answer.message ?? "")}`,
    };
  }
  const type = wire.includes("JSON") ? "application/json" : "application/x-protobuf";
  const response = await fetch(`${otlpUrl}/v1/${signal}`, {
    method: "POST",
    headers: { ...headers, "content-type": type },
    body: Buffer.from(body),
  });
  return { status: response.status, told: `${JSON.stringify([...response.headers])} ${await response.text()}` };
}
