import { PGlite } from "@electric-sql/pglite";
import PgBoss from "pg-boss";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { defineContract } from "../../contract/contract.ts";
import { currentScope } from "../../run/run-scope.ts";
import { configure, resetRuntime } from "../../runtime.ts";
import * as semconv from "../../semconv.ts";
import { startCollector, type LoopbackCollector } from "../../transport/testing/loopback-collector.ts";
import { configureBoundaries, setContracts } from "./boundary-settings.ts";
import { instrumentBullMq, instrumentPgBoss } from "./job-handlers.ts";

/** The real pg-boss on a real PostgreSQL; of BullMQ, which needs a Redis, the part of `Worker` that is wrapped. */

let collector: LoopbackCollector;
let database: PGlite;
let boss: PgBoss;
beforeAll(async () => {
  instrumentPgBoss(PgBoss);
  database = new PGlite();
  const executeSql = async (text: string, values: unknown[] = []) =>
    values.length > 0 ? await database.query(text, values) : ((await database.exec(text)).at(-1) ?? { rows: [] });
  boss = new PgBoss({ db: { executeSql: executeSql as never }, supervise: false, schedule: false });
  boss.on("error", () => {});
  await boss.start();
});
afterAll(async () => {
  await boss.stop({ graceful: false });
  await database.close();
});
beforeEach(async () => {
  collector = await startCollector();
  configure({ endpoint: collector.url, stateDirectory: null });
  configureBoundaries({ boundaries: ["job"] });
});
afterEach(async () => {
  configureBoundaries({});
  setContracts({});
  resetRuntime();
  await collector.close();
});

type Sent = LoopbackCollector["spans"][number];
const attribute = (span: Sent | undefined, name: string): unknown =>
  Object.values(span?.attributes.find(({ key }) => key === name)?.value ?? {})[0];
const sent = (event: string): Sent[] =>
  collector.spans.filter((span) => attribute(span, semconv.ATTR_RUN_EVENT) === event);

async function worked(queue: string, handler: () => unknown, data: object): Promise<Record<string, unknown>> {
  await boss.createQueue(queue, { name: queue, retryLimit: 0 } as never);
  await boss.work(queue, { pollingIntervalSeconds: 0.5 }, async () => handler());
  const id = await boss.send(queue, data);
  await expect.poll(() => sent("close").length).toBe(1);
  await boss.offWork(queue);
  return { id };
}

describe("a job of pg-boss", () => {
  it("is a run with the job's data as its input and the contract of its queue", async () => {
    setContracts({ mails: defineContract({ agent: "mails", tools: { allowed: ["send"] } }) });
    let inside: string | undefined;
    const { id } = await worked("mails", () => void (inside = currentScope()?.run.runId), { to: "all" });
    const [start] = sent("start");
    expect(inside).toBe(attribute(start, semconv.ATTR_RUN_ID));
    expect(attribute(start, semconv.ATTR_TASK_ID)).toBe(id);
    expect(attribute(start, semconv.ATTR_RUN_INPUT)).toBe('{"to":"all"}');
    expect(attribute(start, semconv.ATTR_CONTRACT)).toContain('"allowed":["send"]');
  });

  it("that throws is a run with an error, and fails for pg-boss as before", async () => {
    const broken = Object.assign(new Error("no"), { name: "BrokenJob" });
    const { id } = await worked("broken", () => Promise.reject(broken), {});
    const evidence = JSON.parse(String(attribute(sent("close")[0], semconv.ATTR_EVIDENCE))) as { error: unknown };
    expect(evidence.error).toMatchObject({ errorClass: "BrokenJob" });
    await expect.poll(async () => (await boss.getJobById("broken", String(id)))?.state).toBe("failed");
  });
});

describe("a job of BullMQ", () => {
  it("is a run with its attempt, and gives back what the processor does", async () => {
    class Worker {
      name = "reports";
      callProcessJob(job: { data: unknown }, token: string): Promise<unknown> {
        return Promise.resolve([job.data, token, currentScope()?.run.contract.agent]);
      }
    }
    instrumentBullMq({ Worker });
    instrumentBullMq({ Worker });
    const job = { id: "7", name: "weekly", data: { week: 3 }, attemptsMade: 1 };
    expect(await new Worker().callProcessJob(job, "token")).toEqual([{ week: 3 }, "token", "reports"]);
    expect(sent("start").map((span) => attribute(span, semconv.ATTR_ATTEMPT))).toEqual(["2"]);
    expect(attribute(sent("start")[0], semconv.ATTR_TASK_ID)).toBe("7");
  });
});

describe("exports that are not what was expected", () => {
  it.each([[undefined], [null], [{}], [{ default: 5 }], [{ Worker: () => 1, PgBoss: Set }]])(
    "are left alone: %j",
    (exports) => {
      expect(() => {
        instrumentPgBoss(exports);
        instrumentBullMq(exports);
      }).not.toThrow();
    },
  );
});
