import { createServer, type Server } from "node:http";
import { createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { noticeOfAlert, noticeOfEvent } from "../notice.ts";
import type { DeliveryOutcome } from "../outbox.ts";
import { type AlertReceiver, startAlertReceiver } from "../testing/alert-receiver.ts";
import { alertRow } from "../testing/samples.ts";
import { logRow } from "../../clickhouse/testing/row-samples.ts";
import type { ResolveAll } from "./guarded-lookup.ts";
import { signatureOf } from "./signature.ts";
import { createWebhookTarget, webhookName, type WebhookOptions } from "./webhook-target.ts";

const SECRET = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;
const notice = { ...noticeOfAlert(alertRow({ agent_name: "a".repeat(9_999) })), targets: [], at: 0 };
const never = new AbortController().signal;

let receiver: AlertReceiver;
beforeEach(async () => {
  receiver = await startAlertReceiver(SECRET);
});
afterEach(() => receiver.close());

const send = (url: string, options: Partial<WebhookOptions> = {}): Promise<DeliveryOutcome> =>
  createWebhookTarget({
    url: new URL(url),
    secret: SECRET,
    allowPrivate: true,
    timeoutMillis: 5_000,
    now: Date.now,
    ...options,
  }).deliver(notice, never);
const answering =
  (...addresses: string[]): ResolveAll =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
const portOf = (url: string): string => new URL(url).port;

describe("a webhook", () => {
  it("posts the alert, signed as Standard Webhooks says, under an id that is the same each time", async () => {
    expect(await send(receiver.url)).toEqual({ status: "delivered" });
    expect(await send(receiver.url)).toEqual({ status: "delivered" });
    expect(receiver.received).toMatchObject([
      { id: "alert-1:firing", signatureHolds: true, body: { type: "runproof.alert.firing" } },
      { id: "alert-1:firing", signatureHolds: true },
    ]);
    expect(String(receiver.received[0]?.body.data["agent_name"]).length).toBe(512);
  });

  it("signs as the example of the specification does", () => {
    // https://github.com/standard-webhooks/standard-webhooks, libraries' own test vector.
    const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const content = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: '{"test": 2432232314}' };
    expect(signatureOf(content, secret)).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  it.each([199, 300, 400, 404, 410, 429, 500, 503].filter((status) => status >= 200))(
    "has not delivered what is answered with %i",
    async (status) => {
      receiver.answer(status);
      expect(await send(receiver.url)).toEqual({ status: "failed", message: `HTTP ${status}` });
    },
  );

  it("waits as long as it is asked to, an hour at most", async () => {
    receiver.answer(503, { "retry-after": "120" });
    expect(await send(receiver.url)).toMatchObject({ waitMillis: 120_000 });
    receiver.answer(503, { "retry-after": "999999" });
    expect(await send(receiver.url)).toMatchObject({ waitMillis: 3_600_000 });
  });

  it("follows no redirect", async () => {
    const inside = await startAlertReceiver(SECRET);
    receiver.answer(307, { location: inside.url });
    expect(await send(receiver.url)).toEqual({ status: "failed", message: "HTTP 307" });
    expect(inside.received).toEqual([]);
    await inside.close();
  });

  it("tells nobody of events that are no alerts", async () => {
    const target = createWebhookTarget({
      url: new URL(receiver.url),
      secret: SECRET,
      allowPrivate: true,
      now: Date.now,
    });
    const event = { ...noticeOfEvent("override-1", logRow()), targets: [], at: 0 };
    expect(await target.deliver(event, never)).toEqual({ status: "delivered" });
    expect(receiver.received).toEqual([]);
  });

  it("is named without what may be secret in its address", () => {
    expect(webhookName(new URL("https://hooks.example/services/T0/secret?token=secret"))).toMatch(
      /^webhook https:\/\/hooks\.example [0-9a-f]{8}$/,
    );
  });
});

describe("without webhookAllowPrivate", () => {
  const refused = expect.objectContaining({
    status: "failed",
    message: expect.stringMatching(/private|metadata|https/),
  });

  it.each([
    "http://127.0.0.1",
    "http://localhost",
    "http://[::1]",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:7f00:1]",
    "http://2130706433",
    "http://0x7f000001",
    "http://017700000001",
    "http://127.1",
    "http://0",
    "http://10.0.0.1",
    "http://192.168.0.1",
    "http://169.254.169.254",
    "http://[fd00:ec2::254]",
    "http://[fe80::1]",
    "https://127.0.0.1",
  ])("nothing is sent to %s", async (origin) => {
    const url = `${origin}:${portOf(receiver.url)}/hook`;
    expect(await send(url, { allowPrivate: false })).toEqual(refused);
    expect(receiver.received).toEqual([]);
  });

  it("nothing is sent to a name that leads here, alone or beside a public address", async () => {
    const url = `https://hooks.example:${portOf(receiver.url)}/hook`;
    for (const addresses of [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["93.184.216.34", "::1"]]) {
      expect(await send(url, { allowPrivate: false, resolve: answering(...addresses) })).toEqual(refused);
    }
    expect(await send(url, { allowPrivate: false, resolve: answering() })).toMatchObject({ status: "failed" });
    expect(receiver.received).toEqual([]);
  });

  it("a public address is asked over TLS only", async () => {
    const resolve = answering("93.184.216.34");
    expect(await send("http://hooks.example/hook", { allowPrivate: false, resolve })).toEqual(refused);
  });
});

describe("with webhookAllowPrivate", () => {
  it("metadata and link-local addresses stay closed", async () => {
    for (const host of ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]"]) {
      expect(await send(`http://${host}/hook`)).toMatchObject({ status: "failed" });
    }
  });

  it("a name is asked once, and the connection goes where it led then", async () => {
    let asked = 0;
    const rebinding: ResolveAll = async () => [{ address: ++asked === 1 ? "127.0.0.1" : "169.254.169.254", family: 4 }];
    const url = `http://hooks.example:${portOf(receiver.url)}/hook`;
    expect(await send(url, { resolve: rebinding })).toEqual({ status: "delivered" });
    expect(asked).toBe(1);
  });
});

describe("a receiver that means ill", () => {
  let server: Server | TcpServer;
  afterEach(() => server.close());
  const listening = async (): Promise<string> => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
  };

  it("that never answers is given up in time", async () => {
    const sockets: { destroy(): void }[] = [];
    server = createTcpServer((socket) => void sockets.push(socket));
    expect(await send(await listening(), { timeoutMillis: 200 })).toEqual({
      status: "failed",
      message: "no answer in time",
    });
    for (const socket of sockets) socket.destroy();
  });

  it("that answers without end is not read to the end", async () => {
    let sent = 0;
    const endless = createServer((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384))) sent += 16_384;
      };
      response.on("drain", more);
      more();
    });
    server = endless;
    expect(await send(await listening())).toEqual({ status: "delivered" });
    expect(sent).toBeLessThan(64 * 1024 * 1024);
    endless.closeAllConnections();
  });

  it("whose name cannot be resolved is tried again later", async () => {
    server = createTcpServer();
    const resolve: ResolveAll = () => new Promise(() => {});
    expect(await send("http://hooks.example/", { resolve, timeoutMillis: 100 })).toEqual({
      status: "failed",
      message: "no answer in time",
    });
    const missing: ResolveAll = () => Promise.reject(new Error("ENOTFOUND"));
    expect(await send("http://hooks.example/", { resolve: missing })).toEqual({
      status: "failed",
      message: "ENOTFOUND",
    });
  });
});
