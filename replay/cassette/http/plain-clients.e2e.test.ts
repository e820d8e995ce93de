import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fetchClient, nodeHttpClient, type Client, type Seen } from "./testing/plain-clients.ts";
import { recordWork, replayWork } from "./testing/record-and-replay.ts";
import { sameTwice } from "./testing/same-twice.ts";
import { ODD_CHUNKS, startScenarioServer, type ScenarioServer } from "./testing/scenario-server.ts";

let server: ScenarioServer;
beforeAll(async () => {
  server = await startScenarioServer();
});
afterAll(() => server.close());

const CLIENTS: Readonly<Record<string, Client>> = { fetch: fetchClient, "node:http": nodeHttpClient };

describe.each(Object.entries(CLIENTS))("%s", (_name, client) => {
  const one = async (path: string): Promise<Seen> => {
    const [seen] = await sameTwice(server, async () => [await client(`${server.url}${path}`)]);
    return seen as Seen;
  };

  test.each(["/json", "/gzip", "/empty", "/redirect", "/binary", "/cookies", "/until-end", "/nowhere"])(
    "gets %s again as it was",
    async (path) => {
      expect((await one(path)).status).toBeGreaterThan(199);
    },
  );

  test("gets a stream in the same chunks, cut within characters", async () => {
    const seen = await one("/sse");
    expect(seen.chunks).toEqual(ODD_CHUNKS.map((chunk) => chunk.toString("hex")));
  });

  test.each(["/cut", "/cut-stream"])("meets the cut of %s again, after the same bytes", async (path) => {
    const seen = await one(path);
    expect(seen.chunks.length).toBeGreaterThan(0);
    expect(seen.error).toBeDefined();
  });

  test("meets a connection that was reset before an answer", async () => {
    expect((await one("/reset")).error).toBeDefined();
  });

  test("meets a refused connection with the same code", async () => {
    const closed = await startScenarioServer();
    await closed.close();
    const [seen] = await sameTwice(server, async () => [await client(`${closed.url}/json`)]);
    expect(JSON.stringify(seen)).toContain("ECONNREFUSED");
  });

  test("gives each of several equal requests at once its own answer", async () => {
    await sameTwice(server, () => Promise.all(Array.from({ length: 5 }, () => client(`${server.url}/count`))));
  });

  test("sends bodies, and is answered by what it sends", async () => {
    const post = (body: string | Uint8Array) => client(`${server.url}/echo`, { method: "POST", body });
    const seen = await sameTwice(server, async () => [
      await post('{"a":1}'),
      await post('{"a":2}'),
      await post(new Uint8Array([255, 0, 1])),
    ]);
    expect(seen.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test("is told of a request that was never made, as an error of its own", async () => {
    const recorded = await recordWork(async () => [await client(`${server.url}/json`)]);
    const before = server.requests.length;
    const replayed = await replayWork(async () => [await client(`${server.url}/other`)], recorded.calls);
    expect(server.requests.length).toBe(before);
    expect(JSON.stringify(replayed.result)).toContain("RUNPROOF_CASSETTE_MISS");
    expect(replayed.report.misses).toMatchObject([
      { request: { kind: "http" }, differences: [{ pointer: "/arguments/url" }] },
    ]);
  });
});
