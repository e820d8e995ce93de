import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { CanaryEvent } from "./canary-events.ts";
import { createOutbox } from "./outbox.ts";

let directory: string;
let server: Server;
let status: number;
let received: string[];
let tokens: unknown[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-outbox-"));
  [status, received, tokens] = [200, [], []];
  server = createServer((request, response) => {
    void json(request).then((body) => {
      const { resourceLogs } = body as { resourceLogs: { uid: string }[] };
      tokens.push(request.headers.authorization);
      if (status === 200) received.push(...resourceLogs.map((one) => one.uid));
      response.writeHead(request.url === "/v1/logs" ? status : 404).end("{}");
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true, force: true });
});

const uid = (at: number): string => String(at).padStart(32, "0");
const event = (at: number): CanaryEvent => ({ uid: uid(at), timeMillis: at, resourceLogs: { uid: uid(at) } });
const outbox = () =>
  createOutbox({
    directory,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    headers: { authorization: "Bearer token" },
    pausesMillis: [1],
  });

test("events arrive in their order, once, with the token", async () => {
  const box = outbox();
  for (const at of [2, 1, 120, ...Array.from({ length: 70 }, (_, i) => 10 + i)]) await box.add(event(at));
  expect(await Promise.all([box.deliver(), box.deliver()])).toMatchObject([
    { unsent: 0 },
    { unsent: 0, problem: null },
  ]);
  expect(received).toEqual([1, 2, ...Array.from({ length: 70 }, (_, i) => 10 + i), 120].map(uid));
  expect(await readdir(directory)).toEqual([]);
  expect(new Set(tokens)).toEqual(new Set(["Bearer token"]));
});

test.each([503, 401, 429])(
  "what a service that answers %i did not take is kept, and sent by the next process",
  async (answer) => {
    status = answer;
    const box = outbox();
    await box.add(event(1));
    await box.add(event(2));
    expect(await box.deliver()).toEqual({ unsent: 2, problem: expect.stringContaining(`HTTP ${answer}`) });
    expect(tokens).toHaveLength(2);
    status = 200;
    const next = outbox();
    await next.add(event(3));
    expect(await next.deliver()).toEqual({ unsent: 0, problem: null });
    expect(received).toEqual([1, 2, 3].map(uid));
  },
);

test("what will never be taken is set aside and told, and holds up nothing", async () => {
  status = 400;
  const box = outbox();
  await box.add(event(1));
  expect(await box.deliver()).toEqual({ unsent: 0, problem: expect.stringContaining("never") });
  status = 200;
  await box.add(event(2));
  expect(await box.deliver()).toEqual({ unsent: 0, problem: null });
  expect(received).toEqual([uid(2)]);
  expect(await readdir(directory)).toEqual([`000000000000001-${uid(1)}.refused`]);
});
