import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { defineContract } from "../contract/contract.ts";
import type { ClosingEvidence } from "../contract/evidence.ts";
import { sha256Hex } from "../json/canonical.ts";
import * as semconv from "../semconv.ts";
import { closeRun } from "./close-run.ts";
import { recordArtifact, type ArtifactInput } from "./record-artifact.ts";
import { recordEvent } from "./record-event.ts";
import { startRun } from "./start-run.ts";
import { calls, evidenceOf, jsonOf, only, startRecorder, type Recorder } from "./testing/recorder.ts";
import { withRun } from "./with-run.ts";
import { wrapModel, wrapTool } from "./wrap-tool.ts";

let recorder: Recorder | undefined;
const start = async (options: Parameters<typeof startRecorder>[0] = {}): Promise<Recorder> =>
  (recorder = await startRecorder(options));
afterEach(async () => {
  await recorder?.close();
  recorder = undefined;
});

const plain = defineContract({ agent: "writer" });
const closing = (seen: Recorder): ClosingEvidence =>
  evidenceOf(only(seen.direct(), "close")) as unknown as ClosingEvidence;
const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};

describe("closeRun()", () => {
  it("gives the first call's result to every later one, and sends one close", async () => {
    const seen = await start();
    const run = await startRun(plain);
    const [first, second] = [closeRun(run, { answer: "a" }), closeRun(run, { answer: "b" })];
    expect(first).toBe(second);
    await first;
    expect(closing(seen).answer).toBe("a");
    expect(only(seen.direct(), "run").attributes[semconv.ATTR_EVIDENCE]).toBe(
      only(seen.direct(), "close").attributes[semconv.ATTR_EVIDENCE],
    );
  });

  it("counts tool calls and steps, and keeps claim and error apart from evidence", async () => {
    const seen = await start();
    await withRun(plain, async (run) => {
      const tool = wrapTool({ name: "t" }, () => 1);
      await tool(0);
      await wrapModel({ model: "m" }, () => "x")("y");
      await tool(1);
      run.claim("skipped", "nothing to do");
    });
    expect(closing(seen)).toMatchObject({
      claim: { outcome: "skipped", detail: "nothing to do" },
      error: null,
      toolCallCount: 2,
      stepCount: 3,
      gaps: [],
    });
  });

  it("observes paths, state before and after, and the verification command", async () => {
    const seen = await start();
    await writeFile(join(seen.folder, "notes.md"), "notes");
    let status = "open";
    const contract = defineContract({
      agent: "writer",
      evidencePaths: { paths: ["notes.md", "absent.md"] },
      state: { to: [{ status: "closed" }] },
      verification: { command: [process.execPath, "-e", "console.log('checked'); process.exit(3)"] },
    });
    const options = { cwd: seen.folder, readState: async () => ({ status }) };
    await withRun(contract, () => void (status = "closed"), options);
    expect(closing(seen)).toMatchObject({
      paths: [
        { path: "notes.md", exists: true, bytes: 5 },
        { path: "absent.md", exists: false, bytes: null },
      ],
      state: { before: { status: "open" }, after: { status: "closed" } },
      verification: { exitCode: 3, timedOut: false, outputTail: "checked\n" },
    });
  });

  it("counts what the agent committed as its change, and nothing that was there before", async () => {
    const seen = await start();
    const workspace = join(seen.folder, "work");
    await mkdir(workspace);
    const git = (...args: string[]): void =>
      void execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], { cwd: workspace });
    git("init", "-q");
    await writeFile(join(workspace, "old.txt"), "old");
    git("add", ".");
    git("commit", "-qm", "start");
    await writeFile(join(workspace, "dirty.txt"), "was here");
    const contract = defineContract({ agent: "coder", changes: { workspace: "work" } });
    const work = async (): Promise<void> => {
      await writeFile(join(workspace, "committed.txt"), "new");
      git("add", "committed.txt");
      git("commit", "-qm", "agent");
      await writeFile(join(workspace, "loose.txt"), "new");
    };
    await withRun(contract, work, { cwd: seen.folder });
    expect(closing(seen).changedPaths).toEqual(["committed.txt", "loose.txt"]);
  });

  it("waits for the root span of a run without an SDK: nobody else would send it", async () => {
    const seen = await start({ deadlineMillis: 2_000 });
    const run = await startRun(plain);
    seen.collector.answer = (response, body) => {
      const answer = (): void => void response.writeHead(200).end("{}");
      if (body.includes('"name":"invoke_agent')) setTimeout(answer, 200);
      else answer();
    };
    expect(await timed(() => closeRun(run))).toBeGreaterThan(190);
  });

  it("takes two deadlines at most when the collector hangs", async () => {
    await start({ hangs: true, deadlineMillis: 2_000 });
    const run = await startRun(plain);
    void recordEvent(run, "under way");
    expect(await timed(() => closeRun(run))).toBeLessThan(6_000); // Three.
  });

  it("takes two deadlines at most when collector and SDK hang", async () => {
    const hanging = {
      onStart() {},
      onEnd() {},
      forceFlush: () => new Promise<void>(() => {}),
      shutdown: async () => {},
    };
    await start({ hangs: true, deadlineMillis: 2_000, sdk: { processors: [hanging] } });
    const run = await startRun(plain);
    expect(await timed(() => closeRun(run))).toBeLessThan(6_000); // Three.
  });

  it("closes with a gap where the evidence cannot travel or does not hold together", async () => {
    const seen = await start();
    await withRun(plain, () => "a".repeat(5_000_000));
    expect(closing(seen)).toMatchObject({
      answer: null,
      gaps: [expect.stringMatching(/closing evidence is \d+ bytes/)],
    });
    await seen.close();
    const again = await start();
    await withRun(plain, (run) => run.claim("completed" as never));
    expect(closing(again)).toMatchObject({ claim: null, gaps: ["the closing evidence does not hold together"] });
  });

  it("leaves a gap where the state reader fails", async () => {
    const seen = await start();
    let reads = 0;
    const readState = (): Promise<string> | string => (reads++ === 0 ? "open" : raise("gone"));
    await withRun(plain, () => {}, { readState });
    expect(closing(seen)).toMatchObject({ state: null, gaps: ["the state at the close could not be read: gone"] });
  });
});

describe("recordArtifact()", () => {
  const observe = async (
    artifacts: readonly ArtifactInput[],
    contract = plain,
    prepare: (folder: string) => Promise<void> = async () => {},
  ): Promise<ClosingEvidence["artifacts"]> => {
    const seen = await start();
    await prepare(seen.folder);
    await withRun(
      contract,
      async (run) => void (await Promise.all(artifacts.map((artifact) => recordArtifact(run, artifact)))),
      { cwd: seen.folder },
    );
    return closing(seen).artifacts;
  };

  it("sends a checkpoint, and what counts is what the probe finds at the close", async () => {
    const artifacts = [
      { name: "f", path: "f.txt" },
      { name: "j", kind: "json", path: "j.json" },
      { name: "gone", kind: "report", path: "gone.md" },
    ] as const;
    const found = await observe(artifacts, plain, async (folder) => {
      await writeFile(join(folder, "f.txt"), "hello");
      await writeFile(join(folder, "j.json"), "{");
    });
    expect(found).toMatchObject([
      { name: "f", kind: "file", state: "present", bytes: 5, sha256: sha256Hex("hello") },
      { name: "j", kind: "json", state: "present", schemaErrors: [expect.any(String)] },
      { name: "gone", kind: "report", state: "missing" },
    ]);
    const checkpoints = recorder?.direct().filter((span) => span.attributes[semconv.ATTR_RUN_EVENT] === "checkpoint");
    expect(checkpoints?.map((span) => jsonOf(span, semconv.ATTR_CHECKPOINT_ATTRIBUTES)).slice(0, 1)).toEqual([
      { kind: "file", name: "f", ref: "f.txt" },
    ]);
  });

  it("takes the schema from the contract", async () => {
    const contract = defineContract({
      agent: "writer",
      artifacts: [{ name: "data", kind: "json", schema: { type: "object", required: ["total"] } }],
    });
    const [seen] = await observe([{ name: "data", kind: "json", path: "d.json" }], contract, async (folder) => {
      await writeFile(join(folder, "d.json"), "{}");
    });
    expect(seen).toMatchObject({ state: "present", schemaErrors: [expect.stringContaining("total")] });
  });

  it("re-reads what the contract places somewhere, never recorded or recorded elsewhere", async () => {
    const contract = defineContract({ agent: "writer", artifacts: [{ name: "report", path: "out/report.md" }] });
    expect(await observe([], contract)).toMatchObject([{ name: "report", ref: "out/report.md", state: "missing" }]);
    await recorder?.close();
    const decoy = await observe([{ name: "report", path: "decoy.md" }], contract, async (folder) => {
      await writeFile(join(folder, "decoy.md"), "not the report");
    });
    expect(decoy).toMatchObject([
      { ref: "decoy.md", state: "present" },
      { ref: "out/report.md", state: "missing" },
    ]);
    await recorder?.close();
    expect(await observe([{ name: "report", path: "./out/report.md" }], contract)).toHaveLength(1);
  });

  it("re-reads a URL, recorded or placed by the contract", async () => {
    const server = createServer((_request, response) => response.end("page"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/page`;
    const contract = defineContract({ agent: "writer", artifacts: [{ name: "page", kind: "url", path: url }] });
    try {
      expect(await observe([{ name: "other", kind: "url", url }], contract)).toMatchObject([
        { name: "other", kind: "url", state: "present", bytes: 4 },
        { name: "page", kind: "url", state: "present", sha256: sha256Hex("page") },
      ]);
      // Each is a recorded call, so that a replay needs no network.
      const probes = calls(recorder?.direct() ?? []).filter(
        (span) => span.attributes[semconv.ATTR_CALL_KIND] === "probe",
      );
      expect(probes.map((span) => span.attributes[semconv.ATTR_CALL_PATH])).toEqual(["other#0", "page#0"]);
    } finally {
      server.close();
    }
  });

  it("asks the probe of whoever recorded it; without one, or with one that fails, it alone stays unchecked", async () => {
    const found = await observe([
      { name: "told", kind: "message", ref: "m-1", probe: () => ({ present: true, bytes: 12, sha256: "ab" }) },
      { name: "there", kind: "object", ref: "o-1", probe: async () => ({ present: true }) },
      { name: "lost", kind: "message", ref: "m-2", probe: () => ({ present: false, detail: "not in the mailbox" }) },
      { name: "believed", kind: "message", ref: "m-3" },
      { name: "broken", kind: "row", ref: "r-1", probe: () => raise("no database") },
      { name: "mute", kind: "diff", ref: "d-1", probe: () => undefined as never },
      { name: "odd", kind: "diff", ref: "d-2", probe: () => ({ present: true, bytes: "9", sha256: 9 }) as never },
    ]);
    expect(found).toMatchObject([
      { name: "told", state: "present", bytes: 12, sha256: "ab" },
      { name: "there", state: "present", bytes: 1, sha256: null },
      { name: "lost", state: "missing", detail: "not in the mailbox" },
      { name: "believed", state: "unchecked" },
      { name: "broken", state: "unchecked", detail: "no database" },
      { name: "mute", state: "unchecked" },
      { name: "odd", state: "present", bytes: null, sha256: null },
    ]);
  });

  it("keeps a row's query and where it is asked, but no credentials", async () => {
    const row = { endpoint: "http://127.0.0.1:9", query: "SELECT 1", user: "u", password: "pass-word-1" };
    const [seen] = await observe([{ name: "row", kind: "row", ...row }]);
    expect(seen).toMatchObject({ kind: "row", ref: "SELECT 1" });
    expect(seen?.state).not.toBe("present");
    expect(recorder?.bodies.join("")).not.toContain("pass-word-1");
  });

  it("does not let what is no artifact spoil the others, and never rejects", async () => {
    const junk = [null, 5, { name: "x" }, {}, Object.defineProperty({}, "name", { get: () => raise("no") })] as never[];
    const found = await observe([
      ...junk,
      { name: "good", kind: "message", ref: "m", probe: () => ({ present: true }) },
    ]);
    expect(found.find((one) => one.name === "good")).toMatchObject({ state: "present" });
  });

  it("probes thousands of artifacts without running out of file handles", async () => {
    const many = Array.from({ length: 3_000 }, (_, n) => ({ name: `a${n}`, path: "f.txt" }));
    const seen = await start();
    await writeFile(join(seen.folder, "f.txt"), "x");
    await withRun(plain, (run) => void many.map((artifact) => recordArtifact(run, artifact)), { cwd: seen.folder });
    await seen.flush();
    expect(closing(seen).artifacts.filter((one) => one.state === "present")).toHaveLength(3_000);
  });
});

describe("recordEvent()", () => {
  it("sends a redacted checkpoint at once, and a span event where there is an SDK", async () => {
    const seen = await start({ sdk: true });
    const run = await startRun(plain);
    await recordEvent(run, "claimed", { item: 7, mail: "jane.roe@example.com", none: undefined });
    const checkpoint = only(seen.direct(), "checkpoint");
    expect(checkpoint.attributes[semconv.ATTR_CHECKPOINT_NAME]).toBe("claimed");
    expect(jsonOf(checkpoint, semconv.ATTR_CHECKPOINT_ATTRIBUTES)).toEqual({ item: 7, mail: expect.any(String) });
    expect(seen.bodies.join("")).not.toContain("jane.roe");
    await closeRun(run);
  });

  it.each<[string, unknown]>([
    ["a big integer", { n: 1n }],
    ["a getter that throws", Object.defineProperty({}, "x", { enumerable: true, get: () => raise("no") })],
    ["more than the limit", { text: "x".repeat(300_000) }],
    ["nothing at all", null],
  ])("never rejects for its attributes: %s", async (_, attributes) => {
    const seen = await start();
    const run = await startRun(plain);
    await recordEvent(run, "event", attributes as never);
    expect(only(seen.direct(), "checkpoint").attributes[semconv.ATTR_CHECKPOINT_NAME]).toBe("event");
    expect(seen.bodies.at(-1)?.length).toBeLessThan(10_000);
  });
});

function raise(what: unknown): never {
  throw what instanceof Error ? what : new Error(String(what));
}
