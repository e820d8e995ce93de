import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { request } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { credentials, status } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createAuthenticator } from "../auth/authenticator.ts";
import { tokenSha256 } from "../auth/tokens.ts";
import type { LogRow, SpanRow } from "../clickhouse/rows.ts";
import type { Component } from "../component.ts";
import { encodeTracesProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { span, traces } from "../otlp/testing/model-builders.ts";
import { createOtlpGrpcReceiver } from "./otlp-grpc-receiver.ts";
import { createOtlpHttpReceiver } from "./otlp-http-receiver.ts";
import { assertGuarded, type ReceiverGuards } from "./receiver-guards.ts";
import { readTlsFiles } from "./receiver-tls.ts";
import { createTestAuthority, type TestAuthority, type TestCertificate } from "./testing/certificates.ts";
import { createTestGrpcClient, TRACES_METHOD } from "./testing/grpc-client.ts";
import { createRecordingConsumer } from "./testing/recording-consumer.ts";

let authority: TestAuthority;
let stranger: TestAuthority;
let server: TestCertificate;
let shop: TestCertificate;
let bank: TestCertificate;
let forged: TestCertificate;
const running: Component[] = [];

beforeAll(() => {
  authority = createTestAuthority();
  stranger = createTestAuthority();
  server = authority.issue("localhost", "IP:127.0.0.1,DNS:localhost");
  shop = authority.issue("agent.shop.example", "DNS:other.example");
  bank = authority.issue("agent", "URI:spiffe://example/bank");
  forged = stranger.issue("agent.shop.example", "DNS:agent.shop.example");
});

afterAll(() => {
  authority[Symbol.dispose]();
  stranger[Symbol.dispose]();
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((component) => component.shutdown()));
});

const body = encodeTracesProtobuf(traces([span()]));

async function startReceivers(guards: ReceiverGuards) {
  const consumer = createRecordingConsumer<SpanRow>();
  const options = { port: 0, traces: consumer, logs: createRecordingConsumer<LogRow>(), ...guards };
  const http = createOtlpHttpReceiver(options);
  const grpc = createOtlpGrpcReceiver(options);
  running.push(http, grpc);
  await Promise.all([http.start(), grpc.start()]);
  return { consumer, httpPort: http.address().port, grpcPort: grpc.address().port };
}

interface Client {
  readonly certificate?: TestCertificate;
  readonly token?: string;
}

/** Status of one export over HTTPS, or the error of the connection. */
async function overHttps(port: number, { certificate, token }: Client): Promise<number | string> {
  const asked = request({
    port,
    host: "127.0.0.1",
    method: "POST",
    path: "/v1/traces",
    ca: authority.ca,
    agent: false,
    ...(certificate && { cert: certificate.cert, key: certificate.key }),
    headers: {
      "content-type": "application/x-protobuf",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
  });
  asked.end(body);
  return new Promise((resolve) => {
    asked.once("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

async function overGrpc(port: number, { certificate, token }: Client): Promise<number> {
  const channel = credentials.createSsl(authority.ca, certificate?.key ?? null, certificate?.cert ?? null);
  // This client asks for a name, and Node refuses to ask for an address by name.
  const options = { "grpc.ssl_target_name_override": "localhost" };
  const client = createTestGrpcClient(port, { channel, options });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  try {
    return (await client.call(TRACES_METHOD, body, { headers, deadlineMillis: 5_000 })).code;
  } finally {
    client.close();
  }
}

const projectsOf = (rows: readonly SpanRow[]): (string | undefined)[] =>
  rows.map((row) => row.ResourceAttributes["runproof.project"]);

describe("receivers with TLS", () => {
  it("take requests over TLS 1.2 and newer, and nothing in clear or older", async () => {
    const { httpPort, grpcPort, consumer } = await startReceivers({ tls: await readTlsFiles(server) });
    expect([await overHttps(httpPort, {}), await overGrpc(grpcPort, {})]).toEqual([200, status.OK]);
    expect(consumer.rows).toHaveLength(2);
    await expect(fetch(`http://127.0.0.1:${httpPort}/health`)).rejects.toThrow("fetch failed");
    for (const port of [httpPort, grpcPort]) {
      const common = { port, host: "127.0.0.1", ca: authority.ca, ALPNProtocols: ["h2", "http/1.1"] };
      const versions = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
      const [error] = (await once(connectTls({ ...common, ...versions }), "error")) as [Error];
      expect(error.message).toContain("alert protocol version");
      const modern = connectTls({ ...common, maxVersion: "TLSv1.2" });
      await once(modern, "secureConnect");
      modern.destroy();
    }
  });

  it("do not let a client hold them in the handshake", async () => {
    const limits = { headersTimeoutMillis: 200 };
    const tls = await readTlsFiles(server);
    const sinks = { traces: createRecordingConsumer<SpanRow>(), logs: createRecordingConsumer<LogRow>() };
    for (const create of [createOtlpHttpReceiver, createOtlpGrpcReceiver]) {
      const receiver = create({ port: 0, tls, limits, ...sinks });
      running.push(receiver);
      await receiver.start();
      const silent = connect(receiver.address().port, "127.0.0.1").resume();
      silent.on("error", () => {});
      await once(silent, "close");
    }
  });
});

describe("receivers with client certificates", () => {
  const certificateProjects = new Map([
    ["agent.shop.example", "shop"],
    ["spiffe://example/bank", "bank"],
  ]);
  const tokens = [{ sha256: tokenSha256("lab-token"), project: "lab", scopes: ["write" as const] }];
  const guardsOf = async (authenticator = createAuthenticator({ certificateProjects, tokens })) => ({
    tls: await readTlsFiles({ ...server, clientCaFile: authority.caFile }),
    authenticator,
  });

  it("map the CN or a SAN to a project, and a token that is shown decides", async () => {
    const { httpPort, grpcPort, consumer } = await startReceivers(await guardsOf());
    for (const [client, project] of [
      [{ certificate: shop }, "shop"],
      [{ certificate: bank }, "bank"],
      [{ certificate: shop, token: "lab-token" }, "lab"],
    ] as const) {
      expect([await overHttps(httpPort, client), await overGrpc(grpcPort, client)]).toEqual([200, status.OK]);
      expect(projectsOf(consumer.rows.splice(0))).toEqual([project, project]);
    }
  });

  it("refuse a certificate without a project, and a wrong token whatever the certificate", async () => {
    const { httpPort, grpcPort, consumer } = await startReceivers(await guardsOf());
    for (const client of [{ certificate: server }, { certificate: shop, token: "wrong" }]) {
      expect([await overHttps(httpPort, client), await overGrpc(grpcPort, client)]).toEqual([
        401,
        status.UNAUTHENTICATED,
      ]);
    }
    expect(consumer.rows).toEqual([]);
  });

  it("end the handshake of a client without a certificate, or with another authority's", async () => {
    const { httpPort, grpcPort, consumer } = await startReceivers(await guardsOf());
    for (const client of [{}, { token: "lab-token" }, { certificate: forged }]) {
      expect(await overHttps(httpPort, client)).toBeTypeOf("string");
      expect([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]).toContain(await overGrpc(grpcPort, client));
    }
    expect(consumer.rows).toEqual([]);
  });

  it("may listen on the network", async () => {
    const { tls } = await guardsOf();
    expect(() => assertGuarded("0.0.0.0", { tls })).not.toThrow();
    expect(() => assertGuarded("0.0.0.0", { tls: { ...tls, requestCert: false } })).toThrow("refusing to listen");
  });
});

describe("TLS files", () => {
  it.each([
    ["a missing certificate", { certFile: "none.pem" }, "tlsCertFile: cannot read none.pem (ENOENT)"],
    ["a missing key", { keyFile: "none.key" }, "tlsKeyFile: cannot read none.key (ENOENT)"],
    ["a missing authority", { clientCaFile: "none.pem" }, "tlsClientCaFile: cannot read none.pem (ENOENT)"],
  ])("with %s are refused by name", async (_name, files, message) => {
    await expect(readTlsFiles({ ...server, ...files })).rejects.toThrow(message);
  });

  it("that hold something else, or do not belong together, are refused by name", async () => {
    const wrong = join(authority.directory, "wrong.pem");
    await writeFile(wrong, "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n");
    await expect(readTlsFiles({ ...server, certFile: wrong })).rejects.toThrow(/tlsCertFile: .*not a PEM certificate/);
    await expect(readTlsFiles({ ...server, keyFile: wrong })).rejects.toThrow(/tlsKeyFile: .*not a PEM private key/);
    await expect(readTlsFiles({ ...server, clientCaFile: wrong })).rejects.toThrow(/tlsClientCaFile: .*not a PEM/);
    await expect(readTlsFiles({ ...server, keyFile: shop.keyFile })).rejects.toThrow("does not belong to the cert");
  });
});
