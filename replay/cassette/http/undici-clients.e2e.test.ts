import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorSeen, type Seen } from "./testing/plain-clients.ts";
import { sameTwice } from "./testing/same-twice.ts";
import { ODD_CHUNKS, startScenarioServer, type ScenarioServer } from "./testing/scenario-server.ts";

interface Answer {
  readonly statusCode: number;
  readonly headers: Record<string, string | string[]>;
  readonly body: AsyncIterable<Buffer>;
}
interface Dispatcher {
  request(options: object): Promise<Answer>;
  compose(...interceptors: unknown[]): Dispatcher;
  close(): Promise<void>;
}
type Request = (url: string, options?: object) => Promise<Answer>;
type Constructor = new (...args: unknown[]) => Dispatcher;

const undici: unknown = await import("undici");
const member = <Member>(name: string): Member => (undici as never)[name] as Member;

let server: ScenarioServer;
beforeAll(async () => {
  server = await startScenarioServer();
});
afterAll(() => server.close());

async function seen(asking: Promise<Answer>): Promise<Seen> {
  const chunks: string[] = [];
  try {
    const { statusCode: status, headers, body } = await asking;
    try {
      for await (const chunk of body) chunks.push(chunk.toString("hex"));
    } catch (error) {
      return { status, chunks, error: errorSeen(error) };
    }
    return {
      status,
      headers: Object.entries(headers).map(([name, value]) => [name, JSON.stringify(value)] as const),
      chunks,
    };
  } catch (error) {
    return { chunks, error: errorSeen(error) };
  }
}

const WAYS: Readonly<Record<string, (path: string) => Promise<Answer>>> = {
  "request()": (path) => member<Request>("request")(`${server.url}${path}`),
  "an Agent of its own": (path) =>
    member<Request>("request")(`${server.url}${path}`, { dispatcher: new (member<Constructor>("Agent"))() }),
  "a Pool of one connection": (path) =>
    new (member<Constructor>("Pool"))(server.url, { connections: 1 }).request({ path, method: "GET" }),
  "a Client": (path) => new (member<Constructor>("Client"))(server.url).request({ path, method: "GET" }),
};

describe("undici", () => {
  describe.each(Object.entries(WAYS))("through %s", (_name, ask) => {
    test.each(["/json", "/gzip", "/empty", "/binary", "/cookies", "/cut", "/cut-stream", "/reset", "/until-end"])(
      "gets %s again as it was",
      async (path) => {
        await sameTwice(server, () => seen(ask(path)));
      },
    );

    test("gets a stream in the same chunks", async () => {
      const { chunks } = await sameTwice(server, () => seen(ask("/sse")));
      expect(chunks).toEqual(ODD_CHUNKS.map((chunk) => chunk.toString("hex")));
    });

    test("gives each of several equal requests at once its own answer", async () => {
      await sameTwice(server, () => Promise.all(Array.from({ length: 4 }, () => seen(ask("/count")))));
    });
  });

  test("keeps each of several equal requests apart that wait in a pool for one connection", async () => {
    const own = await startScenarioServer();
    const answers = await sameTwice(own, async () => {
      const pool = new (member<Constructor>("Pool"))(own.url, { connections: 1, pipelining: 1 });
      const asked = await Promise.all(
        Array.from({ length: 4 }, () => seen(pool.request({ path: "/count", method: "GET" }))),
      );
      await pool.close();
      return asked;
    });
    expect(answers.map(({ chunks }) => Buffer.from(chunks.join(""), "hex").toString())).toEqual(["1", "2", "3", "4"]);
    await own.close();
  });

  test("tries again through its retry interceptor, each try on record", async () => {
    const { retry } = member<{ retry: (options: object) => unknown }>("interceptors");
    const own = await startScenarioServer();
    const answer = await sameTwice(own, () => {
      const agent = new (member<Constructor>("Agent"))().compose(retry({ minTimeout: 1, statusCodes: [429] }));
      return seen(member<Request>("request")(`${own.url}/retry`, { dispatcher: agent }));
    });
    expect(answer.status).toBe(200);
    expect(own.requests.length).toBe(2);
    await own.close();
  });

  test("sends text, bytes, streams and forms", async () => {
    const { Readable } = await import("node:stream");
    // Bodies of one copy of undici are not understood by the dispatcher of another, which may be the global one.
    const dispatcher = new (member<Constructor>("Agent"))();
    const post = (body: unknown) =>
      seen(member<Request>("request")(`${server.url}/echo`, { method: "POST", body, dispatcher }));
    const form = () => {
      const data = new (member<new () => FormData>("FormData"))();
      data.set("name", "ottilie");
      return data;
    };
    const answers = await sameTwice(server, async () => [
      await post("text"),
      await post(Buffer.from([0, 255])),
      await post(Readable.from([Buffer.from("a"), Buffer.from("b")])),
      await post(
        (async function* () {
          yield Buffer.from("c");
        })(),
      ),
      await post(form()),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  });
});
