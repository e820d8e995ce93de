import { createServer, type Server } from "node:http";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listAlerts, resolveAlert, showAlert } from "./alerts.ts";
import type { CommandContext } from "./context.ts";
import { gateCommand, overrideGate } from "./gate.ts";

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

let server: Server;
let url: string;
let asked: Asked[];
let answers: { status: number; body: unknown; headers?: Record<string, string> }[];
beforeEach(async () => {
  asked = [];
  answers = [];
  server = createServer((request, response) => {
    void request.toArray().then((chunks) => {
      const { method = "", url: path = "", headers } = request;
      asked.push({
        method,
        path,
        authorization: headers.authorization,
        body: Buffer.concat(chunks as Buffer[]).toString(),
      });
      const { status, body, headers: own } = (answers.length > 1 ? answers.shift() : answers[0])!;
      response.writeHead(status, own).end(typeof body === "string" ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function ran(command: (context: CommandContext) => Promise<number>, env = {}): Promise<Ran> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const streams = { stdout, stderr } as unknown as Pick<CommandContext, "stdout" | "stderr">;
  const signal = new AbortController().signal;
  const code = await command({ env: { USER: "ann", ...env }, cwd: "/", signal, ...streams });
  stdout.end();
  stderr.end();
  return { code, stdout: await text(stdout), stderr: await text(stderr) };
}
const gate = (flags = {}, env = {}) => ran((context) => gateCommand({ url, ...flags }, context), env);

const OPEN = { status: 200, body: { open: true, reasons: [], overridden: [] } };
const CLOSED = {
  status: 503,
  body: {
    open: false,
    reasons: [{ code: "fixture_failing", message: "The fixture one\u001b[31m is\n::error::failing" }],
  },
};

describe("runproof gate", () => {
  it("ends with 0 when the gate is open", async () => {
    answers = [OPEN];
    expect(await gate()).toEqual({ code: 0, stdout: "the gate is open\n", stderr: "" });
    expect(asked).toMatchObject([{ method: "GET", path: "/v1/gate" }]);
  });

  it("ends with 1 when it is closed, and says why without obeying what it says", async () => {
    answers = [CLOSED];
    const { code, stdout } = await gate();
    expect(code).toBe(1);
    expect(stdout).toBe("the gate is closed\n  fixture_failing    The fixture one is ::error::failing\n");
    expect(JSON.parse((await gate({ json: true })).stdout)).toMatchObject({ open: false });
    expect((await gate({ github: true })).stdout).toContain(
      "::error title=runproof gate%3A fixture_failing::The fixture one is ::error::failing\n",
    );
  });

  it.each([
    ["is open by its body and closed by its status", { status: 503, body: OPEN.body }, 1],
    ["is open with reasons", { status: 200, body: { ...CLOSED.body, open: true } }, 1],
    ["is no gate's", { status: 200, body: { ok: true } }, 3],
    ["is no JSON", { status: 200, body: "<html>open" }, 3],
    ["is a refusal", { status: 401, body: { error: "A valid credential is needed." } }, 3],
    ["is elsewhere", { status: 302, body: OPEN.body, headers: { location: "/v1/gate" } }, 1],
    ["is too long", { status: 200, body: `{"open":true,"reasons":[],"x":"${"x".repeat(9_000_000)}"}` }, 3],
  ])("is not open when the answer %s", async (_name, answer, code) => {
    answers = [answer];
    expect((await gate()).code).toBe(code);
  });

  it("ends with 3 when nobody answers, and says that it is closed", async () => {
    server.close();
    server.closeAllConnections();
    const { code, stderr, stdout } = await gate({ json: true });
    expect(code).toBe(3);
    expect(stderr).toContain("the gate is closed: nobody answers for it");
    expect(JSON.parse(stdout)).toMatchObject({ open: false, status: "closed" });
  });

  it("waits until it is open", async () => {
    answers = [CLOSED, OPEN];
    expect(await gate({ wait: "30" })).toMatchObject({ code: 0 });
    expect(asked).toHaveLength(2);
    await expect(gate({ wait: "soon" })).rejects.toThrow("--wait must be");
  });

  it("takes address and token from the environment", async () => {
    answers = [OPEN];
    const env = { RUNPROOF_OPERATIONS_URL: `${url}/behind/`, RUNPROOF_OPERATIONS_TOKEN: "token-1" };
    await gate({ url: undefined, project: "shop" }, env);
    expect(asked).toMatchObject([{ path: "/behind/v1/gate?project=shop", authorization: "Bearer token-1" }]);
    await expect(gate({ url: "file:///etc/passwd" })).rejects.toThrow("not an http address");
  });
});

describe("runproof gate override", () => {
  const flags = { code: ["fixture_stale"], for: "2h", reason: "known" };

  it("asks for it in somebody's name, and passes on what was wrong", async () => {
    answers = [{ status: 201, body: { id: "o-1", expires_at: "2030-01-01T00:00:00.000Z" } }];
    const done = await ran((context) => overrideGate({ url, ...flags }, context));
    expect(done).toMatchObject({ code: 0, stdout: "override o-1 until 2030-01-01T00:00:00.000Z\n" });
    expect(JSON.parse(asked[0]!.body)).toEqual({ reason: "known", by: "ann", codes: ["fixture_stale"], for: "2h" });
    answers = [{ status: 400, body: { error: "codes: Invalid option" } }];
    const refused = await ran((context) => overrideGate({ url, ...flags }, context));
    expect(refused).toMatchObject({ code: 2, stderr: "error: codes: Invalid option\n" });
    await expect(ran((context) => overrideGate({ url, ...flags }, context), { USER: "" })).rejects.toThrow("--by");
  });
});

describe("runproof alerts", () => {
  const alert = {
    alert_id: "alert-1",
    state: "firing",
    agent_name: "evil\u001b[2J",
    failure_class: "missing_artifact",
    code_version: "v1",
    alerted_at: "2030-01-01T00:00:00.000Z",
    run_count: 3,
    silent_failure_window_minutes: 12.34,
  };

  it("are listed and shown without what acts on a terminal", async () => {
    answers = [{ status: 200, body: { alerts: [alert], total: 1 } }];
    const listed = await ran((context) => listAlerts({ url }, context));
    expect(listed.code).toBe(0);
    expect(listed.stdout).toContain("missing_artifact");
    expect(listed.stdout).not.toContain("\u001b");
    const shown = await ran((context) => showAlert("alert-1", { url }, context));
    expect(shown.stdout).toMatch(/^silent_failure_window_minutes +12.34$/m);
    expect(shown.stdout).not.toContain("\u001b");
    expect(asked.at(-1)?.path).toBe("/v1/alerts?id=alert-1");
    answers = [{ status: 200, body: { alerts: [], total: 0 } }];
    expect((await ran((context) => showAlert("none", { url }, context))).code).toBe(1);
  });

  it("are resolved with a reason, in somebody's name", async () => {
    answers = [{ status: 200, body: {} }];
    const flags = { url, reason: "rolled back", by: "bob" };
    expect((await ran((context) => resolveAlert("alert-1", flags, context))).code).toBe(0);
    expect(asked[0]).toMatchObject({ method: "POST", path: "/v1/alerts/resolve" });
    expect(JSON.parse(asked[0]!.body)).toEqual({ id: "alert-1", by: "bob", reason: "rolled back" });
  });
});
