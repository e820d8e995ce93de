import { once } from "node:events";
import http, { type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defineContract } from "../../contract/contract.ts";
import { currentScope } from "../../run/run-scope.ts";
import { wrapTool } from "../../run/wrap-tool.ts";
import { configure, resetRuntime } from "../../runtime.ts";
import * as semconv from "../../semconv.ts";
import { startCollector, type LoopbackCollector } from "../../transport/testing/loopback-collector.ts";
import { configureBoundaries, setContracts } from "./boundary-settings.ts";
import { instrumentHttpServers } from "./http-server.ts";

let collector: LoopbackCollector;
let undo: () => void;
const servers: Server[] = [];
beforeEach(async () => {
  collector = await startCollector();
  configure({ endpoint: collector.url, stateDirectory: null });
  configureBoundaries({ boundaries: ["http"], agentName: "service" });
  setContracts({ service: defineContract({ agent: "service", tools: { allowed: ["look"] } }) });
  undo = instrumentHttpServers();
});
afterEach(async () => {
  undo();
  for (const server of servers.splice(0)) server.closeAllConnections();
  configureBoundaries({});
  setContracts({});
  resetRuntime();
  await collector.close();
});

type Listener = (...args: Parameters<RequestListener>) => unknown;

async function serve(listener: Listener): Promise<string> {
  const server = http.createServer((...args) => void listener(...args)).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Sent = LoopbackCollector["spans"][number];
const attribute = (span: Sent | undefined, name: string): unknown =>
  Object.values(span?.attributes.find(({ key }) => key === name)?.value ?? {})[0];
const sent = (event: string): Sent[] =>
  collector.spans.filter((span) => attribute(span, semconv.ATTR_RUN_EVENT) === event);

/** Evidence of the runs that were closed, once there are so many. */
async function closed(count: number): Promise<Record<string, unknown>[]> {
  await expect.poll(() => sent("close").length).toBe(count);
  return sent("close").map(
    (span) => JSON.parse(String(attribute(span, semconv.ATTR_EVIDENCE))) as Record<string, unknown>,
  );
}

const look = wrapTool({ name: "look", sideEffect: "read" }, async (at: string) => `seen ${at}`);

describe("a request to a server of the agent", () => {
  it("is a run: method, path, calls, contract and answer", async () => {
    const url = await serve(async (request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ text: await look(request.url ?? "") }));
    });
    expect(await (await fetch(`${url}/tasks?n=1`, { method: "POST", body: "{}" })).json()).toEqual({
      text: "seen /tasks?n=1",
    });
    const [evidence] = await closed(1);
    expect(evidence).toMatchObject({ answer: '{"text":"seen /tasks?n=1"}', toolCallCount: 1, error: null });
    const [start] = sent("start");
    expect(JSON.parse(String(attribute(start, semconv.ATTR_RUN_INPUT)))).toEqual({ method: "POST", url: "/tasks?n=1" });
    expect(JSON.parse(String(attribute(start, semconv.ATTR_CONTRACT)))).toMatchObject({ tools: { allowed: ["look"] } });
  });

  it("does not wait for the collector", async () => {
    collector.answer = () => {};
    const url = await serve((_, response) => response.end("at once"));
    const answered = fetch(`${url}/tasks`).then(async (answer) => await answer.text());
    const hung = new Promise((resolve) => setTimeout(resolve, 20_000, "waited"));
    expect(await Promise.race([answered, hung])).toBe("at once");
  });

  it("keeps calls of requests at the same time apart, also on one connection", async () => {
    const runs = new Set<string | undefined>();
    const url = await serve(async (request, response) => {
      for (let n = 0; n < 3; n++) await look(request.url ?? "");
      runs.add(currentScope()?.run.runId);
      response.end();
    });
    await Promise.all(Array.from({ length: 8 }, (_, n) => fetch(`${url}/${n}`).then((answer) => answer.text())));
    for (let n = 0; n < 2; n++) await (await fetch(`${url}/again`)).text();
    expect((await closed(10)).map(({ toolCallCount }) => toolCallCount)).toEqual(Array(10).fill(3));
    expect(runs.size).toBe(10);
    expect(currentScope()).toBeUndefined();
  });

  it("that fails or is given up is a run with an error", async () => {
    const url = await serve((request, response) => {
      if (request.url === "/hangs") return void request.socket.destroy();
      response.writeHead(503).end("no");
    });
    await fetch(`${url}/fails`);
    await expect(fetch(`${url}/hangs`)).rejects.toThrow("fetch failed");
    const classes = (await closed(2)).map(({ error }) => (error as { errorClass: string }).errorClass);
    expect(classes).toEqual(["HttpServerError", "cancelled"]);
  });

  it.each([
    ["/healthz", {}],
    ["/metrics?x=1", {}],
    ["/tasks", { method: "OPTIONS" }],
    ["/tasks", { method: "HEAD" }],
    ["/v1/traces", { method: "POST", body: "{}" }],
  ])("is no run when it only asks about the service: %s %j", async (path, init) => {
    let scope: unknown = "unasked";
    const url = await serve((_, response) => {
      scope = currentScope();
      response.end();
    });
    await (await fetch(url + path, init)).text();
    expect(scope).toBeUndefined();
  });

  it("is no run on a path that is configured to be none", async () => {
    undo();
    undo = instrumentHttpServers({ ignorePaths: ["/internal/*", "/only"] });
    const seen: Record<string, boolean> = {};
    const url = await serve((request, response) => {
      seen[request.url ?? ""] = currentScope() !== undefined;
      response.end();
    });
    for (const path of ["/internal/x", "/only", "/only/more", "/healthz"]) await (await fetch(url + path)).text();
    expect(seen).toEqual({ "/internal/x": false, "/only": false, "/only/more": true, "/healthz": true });
  });

  it("is no run where http is no boundary, and the listener is undisturbed", async () => {
    configureBoundaries({ boundaries: ["job"] });
    const url = await serve((_, response) => response.end(typeof currentScope()));
    expect(await (await fetch(`${url}/tasks`)).text()).toBe("undefined");
  });

  it.each([
    ["an answer of a megabyte", (response: http.ServerResponse) => response.end("x".repeat(1_048_576))],
    ["bytes", (response: http.ServerResponse) => response.setHeader("content-type", "image/png").end(Buffer.alloc(9))],
    ["nothing", (response: http.ServerResponse) => response.writeHead(204).end()],
  ])("has no answer text for %s", async (_, answer) => {
    const url = await serve((_request, response) => void answer(response));
    await (await fetch(`${url}/tasks`)).arrayBuffer();
    expect((await closed(1))[0]).toMatchObject({ answer: null });
  });
});
