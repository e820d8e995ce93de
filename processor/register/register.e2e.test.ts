import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { attributeOf, createAgentBench, namesOf, type AgentBench, type AgentEnd } from "./testing/registered-agent.ts";

/** `node --import runproof/register agent`: real processes, nothing of ours in their code. */

let model: Server;
let modelUrl: string;
let bench: AgentBench;
beforeAll(async () => {
  model = createServer((request, response) => {
    request.resume().on("end", () => response.setHeader("content-type", "application/json").end('{"reply":42}'));
  });
  await once(model.listen(0, "127.0.0.1"), "listening");
  modelUrl = `http://127.0.0.1:${(model.address() as AddressInfo).port}/ask`;
});
afterAll(() => void model.close());
beforeEach(async () => void (bench = await createAgentBench()));
afterEach(() => bench.remove());

const PROCESS = { RUNPROOF_BOUNDARY: "process" };
/** Asks the model once and says so. */
const WORK = () => `const answered = await fetch(${JSON.stringify(modelUrl)}, { method: "POST", body: '{"q":1}' });
  console.log(await answered.text());\n`;
const DONE = `console.log("work is done");\n`;
const rootOf = () => bench.collector.spans.find((span) => attributeOf(span, "runproof.event") === "run");
const spooled = () => readdir(join(bench.folder, "state", "spool")).catch(() => []);

describe("an agent that knows nothing of runproof", () => {
  it.each([
    ["ESM", "agent.mjs", () => WORK() + DONE],
    ["CommonJS", "agent.cjs", () => `(async () => { ${WORK()} ${DONE} })();`],
  ])("is recorded as one run with its calls, %s", async (_, name, source) => {
    await bench.write(name, source());
    const ended = await bench.run(name, { env: PROCESS });
    expect(ended).toMatchObject({ code: 0, stderr: "", stdout: '{"reply":42}\nwork is done\n' });
    expect(namesOf(bench.collector)).toEqual([
      `POST ${new URL(modelUrl).host}`,
      "invoke_agent bench-agent",
      "runproof.run close",
      "runproof.run start",
    ]);
    // No contract says what done means: the run is known, and not green.
    expect(attributeOf(rootOf(), "runproof.verdict.status")).toBe("inconclusive");
    expect(await spooled()).toEqual([]);
  });

  it("is judged by the contract that the configuration has for it", async () => {
    await bench.write(
      "runproof.config.mjs",
      `export default { instrumentation: { boundary: ["process"], agentName: "writer" },
         agents: { writer: { contract: { artifacts: [{ name: "report", kind: "file", path: "report.txt" }] } } } };`,
    );
    await bench.write("good.mjs", `import { writeFileSync } from "node:fs"; writeFileSync("report.txt", "all of it");`);
    await bench.write(
      "silent.mjs",
      `import { rmSync } from "node:fs"; rmSync("report.txt"); console.log("report written!");`,
    );
    await bench.run("good.mjs");
    expect(attributeOf(rootOf(), "runproof.verdict.status")).toBe("passed");
    bench.collector.spans.length = 0;
    expect(await bench.run("silent.mjs")).toMatchObject({ code: 0 });
    expect(attributeOf(rootOf(), "runproof.verdict.failure_class")).toBe("missing_artifact_ref");
  });

  it("runs on without contracts when the configuration is broken, and says so once", async () => {
    await bench.write(
      "runproof.config.mjs",
      `export default { instrumentaton: {}, agents: { a: { contract: { artefacts: [] } } }, instrumentation: { boundary: ["sometimes"] } };`,
    );
    await bench.write("agent.mjs", WORK());
    const ended = await bench.run("agent.mjs", { env: PROCESS });
    expect(ended).toMatchObject({ code: 0, stdout: '{"reply":42}\n' });
    for (const problem of ["instrumentaton", "artefacts", "instrumentation.boundary.0"]) {
      expect(ended.stderr.split(problem)).toHaveLength(
        problem === "instrumentaton" ? 2 : ended.stderr.split(problem).length,
      );
      expect(ended.stderr).toContain(problem);
    }
    expect(namesOf(bench.collector)).toContain("invoke_agent bench-agent");
  });

  it("says how to name a TypeScript configuration that this Node does not load", async () => {
    await bench.write("runproof.config.ts", "export default {};");
    await bench.write("agent.mjs", DONE);
    const ended = await bench.run("agent.mjs", { node: ["--no-strip-types"] });
    expect(ended).toMatchObject({ code: 0, stderr: expect.stringContaining("runproof.config.mjs") });
  });

  it("leaves no trace of anything with OTEL_SDK_DISABLED", async () => {
    await bench.write("agent.mjs", WORK());
    expect(await bench.run("agent.mjs", { env: { ...PROCESS, OTEL_SDK_DISABLED: "true" } })).toMatchObject({ code: 0 });
    expect(bench.collector.requests).toBe(0);
  });

  it("is recorded once when ours is named twice, and its content stays out with NO_CONTENT", async () => {
    await bench.write("agent.mjs", WORK());
    const env = { ...PROCESS, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "NO_CONTENT" };
    await bench.run("agent.mjs", {
      env,
      node: ["--import", new URL("../../dist/processor/register/register.js?again", import.meta.url).href],
    });
    expect(namesOf(bench.collector)).toHaveLength(4);
    expect(JSON.stringify(bench.collector.spans)).not.toContain("reply");
  });
});

describe("boundaries that find runs by themselves", () => {
  // Beside the integration test of the handlers: that the real loaders find them. A database takes its time to start.
  it.runIf(process.env["RUNPROOF_LONG_TESTS"] === "1")(
    "are jobs of pg-boss, each by the contract of its queue",
    async () => {
      await bench.write(
        "runproof.config.mjs",
        `export default { instrumentation: { boundary: ["job"] }, agents: { mails: { contract: { answer: { required: [{ contains: "sent" }] } } } } };`,
      );
      await bench.write(
        "worker.mjs",
        `import { PGlite } from "@electric-sql/pglite"; import PgBoss from "pg-boss";
       const db = new PGlite();
       const executeSql = async (text, values = []) => values.length > 0 ? await db.query(text, values) : (await db.exec(text)).at(-1) ?? { rows: [] };
       const boss = await new PgBoss({ db: { executeSql }, supervise: false, schedule: false }).start();
       await boss.createQueue("mails", { name: "mails" });
       const id = await boss.send("mails", { to: "all" });
       await boss.work("mails", { pollingIntervalSeconds: 0.5 }, async ([job]) => { ${WORK()} return "sent to " + job.data.to; });
       while ((await boss.getJobById("mails", id)).state !== "completed") await new Promise((r) => setTimeout(r, 100));
       await boss.stop({ graceful: false }); await db.close();`,
      );
      expect(await bench.run("worker.mjs")).toMatchObject({ code: 0, stderr: "" });
      expect(namesOf(bench.collector)).toContain("invoke_agent mails");
      expect(attributeOf(rootOf(), "runproof.verdict.status")).toBe("passed");
      expect(JSON.parse(String(attributeOf(rootOf(), "runproof.evidence")))).toMatchObject({ answer: "sent to all" });
    },
  );

  it("are requests to a server of the agent, also while the process is a run", async () => {
    await bench.write(
      "server.cjs",
      `const http = require("node:http");
       const server = http.createServer(async (q, r) => { ${WORK()} r.end("served"); }).listen(0, "127.0.0.1", async () => {
         const at = "http://127.0.0.1:" + server.address().port;
         await Promise.all(["/a", "/b", "/healthz"].map(async (path) => await (await fetch(at + path)).text()));
         server.close();
       });`,
    );
    expect(await bench.run("server.cjs", { env: { RUNPROOF_BOUNDARY: "process,http" } })).toMatchObject({ code: 0 });
    const roots = bench.collector.spans.filter((span) => attributeOf(span, "runproof.event") === "run");
    const outer = roots.filter((span) => attributeOf(span, "runproof.run.parent_id") === undefined);
    expect([roots.length, outer.length]).toEqual([3, 1]);
    const parents = roots.map((span) => attributeOf(span, "runproof.run.parent_id"));
    expect(parents.filter((id) => id === attributeOf(outer[0], "runproof.run.id"))).toHaveLength(2);
  });
});

describe("the end of the process", () => {
  const ENDS = {
    "process.exit(3)": { source: "process.exit(3);", code: 3 },
    "an uncaught error": { source: 'throw new Error("boom");', code: 1 },
    "an unhandled rejection": {
      source: 'void Promise.reject(new Error("boom")); await new Promise((r) => setTimeout(r, 5000));',
      code: 1,
    },
  };

  /** Lives until everything is sent on. */
  const NEXT = `import { readdirSync } from "node:fs";
    for (let n = 0; n < 400 && readdirSync("state/spool").length > 0; n++) await new Promise((r) => setTimeout(r, 50));`;

  it.each(Object.entries(ENDS))("by %s leaves the run, its calls and its end for the next process", async (_, end) => {
    await bench.write("dies.mjs", WORK() + end.source);
    await bench.write("next.mjs", NEXT);
    expect(await bench.run("dies.mjs", { env: PROCESS })).toMatchObject({ code: end.code });
    expect(await spooled()).not.toEqual([]);
    const open = bench.collector.spans.find((span) => span.name === "runproof.run start");
    await bench.run("next.mjs", { env: { RUNPROOF_BOUNDARY: "none" } });
    const runId = attributeOf(open, "runproof.run.id");
    const ofRun = bench.collector.spans.filter((span) => attributeOf(span, "runproof.run.id") === runId);
    expect(ofRun.map(({ name }) => name).toSorted()).toEqual([
      `POST ${new URL(modelUrl).host}`,
      "runproof.run process_exit",
      "runproof.run start",
    ]);
    expect(
      attributeOf(
        ofRun.find(({ name }) => name.endsWith("process_exit")),
        "runproof.process.exit_code",
      ),
    ).toBe(String(end.code));
    expect(await spooled()).toEqual([]);
  });

  it.each(["SIGTERM", "SIGINT"] as const)(
    "by %s is the same signal, and the run is told of at once",
    async (signal) => {
      await bench.write("waits.mjs", `${WORK()} console.log("ready"); setTimeout(() => {}, 40_000);`);
      const ended = await bench.run("waits.mjs", { env: PROCESS, onText: ["ready", (child) => child.kill(signal)] });
      expect(ended).toMatchObject({ code: null, signal });
      expect(namesOf(bench.collector)).toEqual([
        `POST ${new URL(modelUrl).host}`,
        "runproof.run process_exit",
        "runproof.run start",
      ]);
    },
  );

  it("by a signal is left to the agent's own handler", async () => {
    await bench.write(
      "graceful.mjs",
      `process.once("SIGTERM", () => setTimeout(() => { console.log("work is done"); server.close(); process.exitCode = 7; }, 300));
       import http from "node:http"; const server = http.createServer().listen(0); ${WORK()} console.log("ready");`,
    );
    const ended = await bench.run("graceful.mjs", {
      env: PROCESS,
      onText: ["ready", (child) => child.kill("SIGTERM")],
    });
    expect(ended).toMatchObject({ code: 7, signal: null, stdout: expect.stringContaining("work is done") });
    expect(namesOf(bench.collector)).toContain("runproof.run close");
  });
});

describe("a collector in trouble", () => {
  let bare: AgentEnd | undefined;
  const AGENT = () => `for (let n = 0; n < 3; n++) { ${WORK()} }\n${DONE}`;

  it.each([
    ["is away", () => bench.collector.close()],
    ["hangs", () => void (bench.collector.answer = () => {})],
    ["answers garbage", () => void (bench.collector.answer = (response) => response.socket?.end("garbage\0\r\n\r\n"))],
    ["answers with a page", () => void (bench.collector.answer = (response) => response.writeHead(200).end("<html>"))],
    ["refuses everything", () => void (bench.collector.answer = (response) => response.writeHead(500).end())],
  ])("that %s changes nothing of the agent, and puts off its end by two seconds at most", async (_, trouble) => {
    await bench.write("agent.mjs", AGENT());
    bare ??= await bench.run("agent.mjs", { isBare: true });
    await trouble();
    const ended = await bench.run("agent.mjs", { env: PROCESS });
    const { code, signal, stdout, stderr } = ended;
    expect({ code, signal, stdout, stderr }).toEqual({
      code: bare.code,
      signal: bare.signal,
      stdout: bare.stdout,
      stderr: "",
    });
    // A guard against hanging; the bench measures.
    expect(ended.exitMillis).toBeLessThan(20_000);
  });
});
