import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { requestJson } from "../../../instrumentation/auto/http/request-json.ts";
import { defineContract } from "../../../instrumentation/contract/contract.ts";
import type { JsonValue } from "../../../instrumentation/json/json.ts";
import type { Interaction } from "../../cassette/cassette.ts";
import { expectedFromContract } from "../../fixture/expected-from-contract.ts";
import type { Fixture } from "../../fixture/fixture-format.ts";
import { isAlive } from "../../testing/is-alive.ts";
import { builtFixture, failedFacts } from "../../testing/facts.ts";
import { recorded } from "../../testing/interactions.ts";
import { replayFixture } from "../../worker/replay-fixture.ts";
import type { ReplayResult } from "../../worker/replay-result.ts";
import type { ChildRun } from "../run-child.ts";
import { runCommand } from "./run-command.ts";

const directory = fileURLToPath(new URL("../../testing/agents/", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "runproof-command-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const http = (path: string, args: JsonValue, chunks: readonly string[], end: JsonValue = "complete"): Interaction => ({
  ...recorded(path, args, {
    status: 200,
    status_text: "OK",
    headers: [
      ["Content-Type", "text/plain"],
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
    ],
    answered_ms: 1,
    chunks: chunks.map((chunk) => [2, "base64", Buffer.from(chunk, "latin1").toString("base64")]),
    end,
    ended_ms: 3,
  }),
  kind: "http",
});

/** A request in the form the recorder gives it. */
const request = (method: string, url: string, body = ""): JsonValue =>
  requestJson(
    {
      method,
      url,
      headers: [["content-type", "application/json"]],
      body: { kept: true, size: body.length, chunks: [{ offsetMillis: 0, bytes: Buffer.from(body) }] },
    },
    { text: (text) => text },
  );

const weather = (degrees: number, ordinal: number) =>
  http(`GET weather.example#${ordinal}`, request("GET", "http://weather.example/today?city=otterville"), [
    `{"degrees":${degrees}}`,
  ]);

const otter = Buffer.from("🦦").toString("latin1");
const completion = (end: JsonValue = "complete") =>
  http(
    "POST api.openai.com#0",
    request(
      "POST",
      "https://api.openai.com/v1/chat/completions",
      '{"model":"m-1","messages":[{"role":"user","content":"it is 7 degrees"}],"stream":true}',
    ),
    ["data: seven ", `degrees ${otter.slice(0, 2)}`, `${otter.slice(2)}\n\n`],
    end,
  );

const contract = defineContract({ agent: "foreign", answer: { required: [{ contains: "degrees" }] } });
const INTERACTIONS = [weather(7, 0), weather(8, 1), completion(), recorded("search#0", { q: "otters" }, { hits: 3 })];

function fixtureWith(input: JsonValue, interactions: readonly Interaction[]): Fixture {
  const base = builtFixture(failedFacts({ input, state: { cart: [1] } }));
  return {
    ...base,
    input: { ...base.input, agent_name: "foreign" },
    expected: { ...base.expected, required_status: ["passed"], contract, ...expectedFromContract(contract) },
    cassette: { ...base.cassette, interactions: interactions.map((it, index) => ({ ...it, index })) },
  };
}

interface Replayed extends ReplayResult {
  /** What the agent wrote on its span. */
  readonly seen: string;
}

async function replay(
  input: JsonValue,
  options: {
    command?: readonly string[];
    interactions?: readonly Interaction[];
    timeoutMillis?: number;
    signal?: AbortSignal;
  } = {},
): Promise<Replayed> {
  const {
    command = [process.execPath, "foreign-agent.mjs"],
    interactions = INTERACTIONS,
    timeoutMillis = 20_000,
  } = options;
  let child: ChildRun | undefined;
  const result = await replayFixture(
    fixtureWith(input, interactions),
    { module: "", exportName: "" },
    {
      environment: { PATH: process.env["PATH"], SECRET: "s3cret" },
      storeUrl: null,
      timeoutMillis,
      ...(options.signal && { signal: options.signal }),
      runAgent: async (run) =>
        (child = await runCommand({
          ...run,
          agent: { command, directory, baseUrls: { BANK_URL: "https://bank.example/api/" } },
        })),
    },
  );
  return { ...result, seen: child?.rows[0]?.SpanAttributes["seen"] ?? "" };
}

describe("an agent that is a command", () => {
  test("is answered over HTTP from the cassette, and its spans are judged like any others", async () => {
    const result = await replay({ act: "ask" });
    expect(result).toMatchObject({ outcome: "fixed", verdict: { status: "passed" }, agent: { type: "returned" } });
    expect(result.cassette).toMatchObject({ hits: 4, misses: [], unused: [] });
    // Equal requests in the order they were recorded; chunks with the boundaries they had, inside a character too.
    expect(JSON.parse(result.seen)).toEqual({
      cookies: ["a=1", "b=2"],
      again: '{"degrees":8}',
      chunks: [12, 10, 4],
      cut: false,
      tool: '{"outcome":"returned","result":{"hits":3}}',
    });
  });

  test("meets a stream that was cut as a stream that is cut", async () => {
    const end = { error: { name: "SocketError", message: "other side closed" } };
    const result = await replay(
      { act: "ask" },
      { interactions: [...INTERACTIONS.slice(0, 2), completion(end), ...INTERACTIONS.slice(3)] },
    );
    expect(JSON.parse(result.seen)).toMatchObject({ chunks: [12, 10, 4], cut: true });
  });

  test("is answered from a model call that was recorded above the wire", async () => {
    const args = { model: "m-1", messages: [{ role: "user", content: "it is 7 degrees" }], stream: true };
    const model: Interaction = { ...recorded("m-1#0", args, { choices: [] }), kind: "model" };
    const result = await replay({ act: "ask" }, { interactions: [weather(7, 0), weather(7, 1), model] });
    expect(result.cassette.hits).toBe(3);
    expect(result.seen).toContain('"chunks":[14]');
  });

  test("diverges when it asks what was not recorded, also when it does not care", async () => {
    const result = await replay({ act: "unrecorded", city: "badgerton" });
    expect(result.seen).toMatch(/^502 .*runproof_cassette_miss/);
    expect(result).toMatchObject({ outcome: "diverged", verdict: { status: "passed" } });
    expect(result.explanation).toMatch(/GET weather\.example.*\/arguments\/url recorded .*otterville.*badgerton/);
  });

  test("diverges when it opens a tunnel, which leads nowhere", async () => {
    const result = await replay({ act: "tunnel" });
    expect(result.seen).toMatch(/^HTTP\/1\.1 501 /);
    expect(result.outcome).toBe("diverged");
    expect(result.explanation).toContain("CONNECT bank.example:443");
  });

  test("finds input, state, addresses and an empty folder; the machine's environment stays out", async () => {
    const seen = JSON.parse((await replay({ act: "environment" })).seen) as {
      files: object;
      cwd: string;
      env: Record<string, string>;
    };
    expect(seen.files).toEqual({ input: '{"act":"environment"}', state: '{"cart":[1]}' });
    expect(seen.env).toMatchObject({ TZ: "UTC", RUNPROOF_FIXTURE_ID: "missing_report", OPENAI_API_KEY: "replayed" });
    expect(seen.env["ANTHROPIC_BASE_URL"]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/https\/api\.anthropic\.com$/);
    expect(seen.env["BANK_URL"]).toMatch(/\/https\/bank\.example\/api$/);
    expect(JSON.stringify(seen.env)).not.toContain("s3cret");
    expect(existsSync(seen.cwd)).toBe(false);
  });

  test("is told by its exit code, with what it printed", async () => {
    const result = await replay({ act: "exit" });
    expect(result).toMatchObject({ outcome: "errored", agent: { type: "exited", code: 3 } });
    expect(result.output.stderr).toBe("it went wrong");
  });

  test("that hangs is killed with what it started", async () => {
    const path = join(scratch, "sleeper.pid");
    const result = await replay({ act: "hang", path }, { timeoutMillis: 2_500 });
    expect(result.agent).toMatchObject({ type: "timed_out" });
    const pid = Number(readFileSync(path, "utf8"));
    for (let i = 0; i < 100 && isAlive(pid); i++) await sleep(20);
    expect(isAlive(pid)).toBe(false);
  });

  test("ends when the caller gives up", async () => {
    const signal = AbortSignal.timeout(1_000);
    expect((await replay({ act: "hang", path: join(scratch, "b.pid") }, { signal })).agent).toEqual({
      type: "aborted",
    });
  });

  test("that does not exist is not started, with the reason", async () => {
    const result = await replay({ act: "ask" }, { command: ["no-such-program-of-ours"] });
    expect(result).toMatchObject({
      outcome: "errored",
      agent: { type: "not_started", message: expect.stringContaining("ENOENT") as string },
    });
  });

  const python = spawnSync("python3", ["--version"]).status === 0;
  test.skipIf(!python)("may be written in Python", async () => {
    const result = await replay({ act: "ask" }, { command: ["python3", "foreign_agent.py"] });
    expect(result.output.stderr).toBe("");
    expect(result).toMatchObject({ outcome: "fixed", verdict: { status: "passed" } });
    expect(result.cassette).toMatchObject({ hits: 2, misses: [] });
    expect(result.seen).toBe('{"act": "ask"}');
  });
});
