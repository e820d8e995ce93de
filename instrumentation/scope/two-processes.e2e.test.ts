import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFileJournal } from "./file-journal.ts";
import { createFileSource } from "./file-source.ts";
import { startScopeEndpoint, type ScopeEndpoint } from "./testing/scope-endpoint.ts";

const PROGRAM = fileURLToPath(new URL("testing/scope-process.ts", import.meta.url));

interface Answer {
  readonly outcome: {
    readonly kind: string;
    readonly code?: string;
    readonly value?: string;
    readonly status?: { state: string };
  };
  readonly events: readonly { readonly reason: string }[];
}

interface ScopeProcess {
  ask(order: object): Promise<Answer>;
  readonly child: ChildProcessWithoutNullStreams;
}

let folder = "";
let cloud: ScopeEndpoint;
let processes: ScopeProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-scope-"));
  cloud = await startScopeEndpoint("production");
});
afterEach(async () => {
  for (const { child } of processes) child.kill("SIGKILL");
  processes = [];
  await cloud.close();
  await rm(folder, { recursive: true, force: true });
});

const file = () => join(folder, "scope.json");
const journal = () => join(folder, "journal.jsonl");

function startProcess(stage: string, runtime?: string): ScopeProcess {
  const env = { PATH: process.env["PATH"], ...(runtime === undefined ? {} : { TEST_SCOPE: runtime }) };
  const child = spawn(process.execPath, [PROGRAM, file(), journal(), cloud.url, stage], { env, stdio: "pipe" });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let errors = "";
  child.stderr.on("data", (chunk) => void (errors += String(chunk)));
  const started: ScopeProcess = {
    child,
    async ask(order) {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`the process ended: ${errors}`);
      return JSON.parse(value) as Answer;
    },
  };
  processes.push(started);
  return started;
}

describe("two processes with one file and one cloud", () => {
  it("do not write to staging and read from production: drift is told, reconciled, and both work in one scope", async () => {
    const writer = startProcess("enforce", "staging");
    const reader = startProcess("enforce");
    expect((await reader.ask({ work: true })).outcome).toMatchObject({ kind: "executed", value: "production" });
    const mixed = await writer.ask({ work: true });
    expect(mixed.outcome).toMatchObject({ kind: "refused", code: "drifted" });
    expect(mixed.events).toMatchObject([
      { reason: "local_missing", runtime_scope: "staging", cloud_scope: "production" },
    ]);
    await writer.ask({ reconcile: "runtime_to_local" });
    expect((await writer.ask({ reconcile: "resolved_to_cloud" })).outcome).toMatchObject({
      status: { state: "SYNCED" },
    });
    expect((await writer.ask({ work: true })).outcome).toMatchObject({ kind: "executed", value: "staging" });
    const stale = await reader.ask({ work: true });
    expect(stale.outcome).toMatchObject({ kind: "refused", code: "stale_cache" });
    expect(stale.events).toMatchObject([{ reason: "stale_cache", resolved_scope: "staging" }]);
    expect((await reader.ask({ work: true })).outcome).toMatchObject({ kind: "executed", value: "staging" });
    for (const target of ["cloud", "local"]) {
      expect((await writer.ask({ undo: true })).outcome).toMatchObject({ kind: "undone", target });
    }
    expect(cloud.get()).toBe("production");
    expect(await createFileSource({ path: file() }).read(new AbortController().signal)).toMatchObject({
      kind: "absent",
    });
  });

  it("write the same file and cloud at the same time without ever overwriting one another unseen", async () => {
    const both = [startProcess("cloud", "alpha"), startProcess("cloud", "beta")];
    await Promise.all(
      both.map(async (one) => {
        for (let turn = 0; turn < 5; turn++) {
          for (const policy of ["runtime_to_local", "resolved_to_cloud"]) {
            const { outcome } = await one.ask({ reconcile: policy });
            expect(["written", "unchanged", "conflict"]).toContain(outcome.kind);
          }
        }
      }),
    );
    // The journal is the whole story: each value that was replaced is the one that was written before it.
    const entries = await createFileJournal(journal()).entries();
    for (const target of ["local", "cloud"]) {
      const done = entries.flatMap((entry) => {
        const outcome = entries.find((one) => one.kind === "outcome" && one.id === entry.id);
        const isDone = outcome?.kind === "outcome" && outcome.result === "done";
        return entry.kind === "intent" && entry.target === target && isDone
          ? [{ ...entry, version: outcome.version }]
          : [];
      });
      expect(done.length).toBeGreaterThan(0);
      // Every version was replaced at most once.
      expect(new Set(done.map(({ expected }) => expected)).size).toBe(done.length);
      const byVersion = new Map(done.map((entry) => [entry.version, entry]));
      for (const { expected, previous } of done) {
        const before = byVersion.get(expected);
        if (before !== undefined) expect(previous).toBe(before.next);
        else expect(previous).toBe(target === "cloud" ? "production" : null);
      }
    }
  });

  it("do nothing while the cloud is out of reach and would have decided", async () => {
    const reader = startProcess("observe");
    cloud.answerWith((_, response) => void response.writeHead(503).end());
    expect((await reader.ask({ work: true })).outcome).toMatchObject({ kind: "refused", code: "unresolved" });
    cloud.answerWith(undefined);
    cloud.set("forbidden");
    expect((await reader.ask({ work: true })).outcome).toMatchObject({ kind: "refused", code: "unauthorized" });
    cloud.set("production");
    expect((await reader.ask({ work: true })).outcome).toMatchObject({ kind: "executed", value: "production" });
  });
});
