import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { Command } from "commander";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createMemorySource, type MemorySource } from "../../instrumentation/scope/testing/memory-source.ts";
import { startCollector, type LoopbackCollector } from "../../instrumentation/transport/testing/loopback-collector.ts";
import { startScopeService, type ScopeService } from "../../processor/scope/testing/scope-service.ts";
import { prepare, runCommandLine } from "./run-command-line.ts";
import { listRuns } from "./runs.ts";
import { addScope } from "./scope-program.ts";

const TOKEN = "token-of-the-shop-1";

let folder = "";
let kept: MemorySource;
let service: ScopeService;
let guarded: ScopeService;
let collector: LoopbackCollector;
const logs: string[] = [];
beforeAll(async () => {
  collector = await startCollector();
  collector.answer = (response, body) => {
    logs.push(body);
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  };
});
afterAll(() => collector.close());
beforeEach(async () => {
  kept = createMemorySource();
  service = await startScopeService(kept);
  guarded = await startScopeService(createMemorySource(), { [TOKEN]: "shop" });
  folder = await mkdtemp(join(tmpdir(), "runproof-scope-cli-"));
  await mkdir(join(folder, ".git"));
});
afterEach(async () => {
  await Promise.all([service.close(), guarded.close()]);
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const sink = (texts: string[]) =>
  new Writable({ write: (chunk, _, done) => (texts.push(String(chunk)), done()) }) as unknown as NodeJS.WriteStream;

/** The verb as the command line runs it, in this process. */
async function runproof(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  of = service,
): Promise<Ended> {
  const [out, err]: [string[], string[]] = [[], []];
  const context = {
    env: { RUNPROOF_OPERATIONS_URL: of.url, RUNPROOF_ENDPOINT: `http://127.0.0.1:${collector.port}`, ...env },
    cwd: folder,
    stdout: sink(out),
    stderr: sink(err),
    signal: new AbortController().signal,
  };
  const program = prepare(new Command("runproof"), context);
  addScope(program, context);
  const code = await runCommandLine(program, ["node", "runproof", "scope", ...args], context);
  return { code, stdout: out.join(""), stderr: err.join("") };
}
const json = ({ stdout }: Ended) => JSON.parse(stdout) as Record<string, unknown>;

describe("runproof scope", () => {
  it("shows drift, reconciles it stage by stage, and puts it back", async () => {
    expect(await runproof(["status"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^SYNCED, authorised\nscope {4}default, from fallback/) as string,
    });
    const drifted = await runproof(["status", "--project", "staging", "--json"]);
    expect(drifted.code).toBe(1);
    expect(drifted.stderr).toContain("scope_drift_detected: local_missing, sync_local is needed");
    expect(json(drifted)).toMatchObject({
      state: "DRIFTED",
      authorized: true,
      resolved_scope: "staging",
      resolved_from: "runtime",
      mismatches: [{ reason: "local_missing" }],
      source_precedence: ["runtime", "local", "cloud", "fallback"],
    });

    const staging = { RUNPROOF_PROJECT: "staging" };
    const observed = await runproof(["reconcile", "--policy", "runtime-to-local"], staging);
    expect(observed).toMatchObject({ code: 1, stdout: expect.stringContaining("refused (stage)") as string });
    const local = await runproof(["reconcile", "--policy", "runtime_to_local", "--stage", "local"], staging);
    expect(local).toMatchObject({ code: 0, stdout: expect.stringContaining("written: the local scope") as string });
    expect(JSON.parse(await readFile(join(folder, ".runproof/scope.json"), "utf8"))).toMatchObject({
      scope: "staging",
    });
    const again = await runproof(["reconcile", "--policy", "runtime_to_local", "--stage", "local", "--json"], staging);
    expect(again.code).toBe(0);
    expect(json(again)).toMatchObject({ outcome: { kind: "unchanged" }, state: "SYNCED" });

    // Without the override the process now comes to the same.
    expect(await runproof(["resolve"])).toMatchObject({ code: 0, stdout: "staging\n" });
    expect(await runproof(["undo", "--stage", "local"])).toMatchObject({ code: 0 });
    expect(await runproof(["resolve"])).toMatchObject({ code: 0, stdout: "default\n" });
    expect(await runproof(["undo", "--stage", "local"])).toMatchObject({ code: 0, stderr: "nothing to put back\n" });
  });

  it("writes what the service keeps, in the stage cloud, and takes it back; under enforcement drift has no scope", async () => {
    const staging = { RUNPROOF_PROJECT: "staging", RUNPROOF_SCOPE_STAGE: "cloud" };
    await writeFile(join(folder, "runproof.config.mjs"), 'export default { scope: { file: "state/scope.json" } };');
    await runproof(["reconcile", "--policy", "runtime_to_local"], staging);
    expect(JSON.parse(await readFile(join(folder, "state/scope.json"), "utf8"))).toMatchObject({ scope: "staging" });
    await runproof(["reconcile", "--policy", "resolved_to_local"], { ...staging, RUNPROOF_PROJECT: "production" });
    const cloud = await runproof(["reconcile", "--policy", "resolved_to_cloud", "--json"], {
      ...staging,
      RUNPROOF_PROJECT: "production",
    });
    // The cloud said nothing, so nothing contradicted.
    expect(json(cloud)).toMatchObject({ outcome: { kind: "unchanged" }, state: "SYNCED" });
    kept.set("elsewhere");
    const enforced = await runproof(["resolve", "--stage", "enforce"]);
    expect(enforced).toMatchObject({ code: 1, stdout: "" });
    expect(enforced.stderr).toContain('cloud says "elsewhere"');
    expect(await runproof(["reconcile", "--policy", "resolved_to_cloud", "--stage", "cloud"])).toMatchObject({
      code: 0,
    });
    expect(await runproof(["resolve", "--stage", "enforce"])).toMatchObject({ code: 0, stdout: "production\n" });
    expect(await runproof(["undo", "--stage", "cloud"])).toMatchObject({ code: 0 });
    expect(await runproof(["resolve", "--stage", "enforce"])).toMatchObject({ code: 1 });
    expect(kept.get()).toBe("elsewhere");
  });

  it("sends drift to the service as a log event with exactly the fields of the specification", async () => {
    logs.length = 0;
    kept.set("production");
    await runproof(["status"], { RUNPROOF_PROJECT: "staging" });
    await expect.poll(() => logs.length).toBe(1);
    const { resourceLogs } = JSON.parse(logs[0] ?? "") as { resourceLogs: { scopeLogs: { logRecords: object[] }[] }[] };
    const text = (stringValue: string) => ({ stringValue });
    expect(resourceLogs[0]?.scopeLogs[0]?.logRecords).toMatchObject([
      {
        eventName: "scope_drift_detected",
        attributes: [
          { key: "runtime_scope", value: text("staging") },
          { key: "local_scope", value: text("") },
          { key: "cloud_scope", value: text("production") },
          { key: "resolved_scope", value: text("staging") },
          { key: "authorized", value: { boolValue: true } },
          { key: "reason", value: text("local_missing") },
          { key: "action_required", value: text("sync_local") },
          {
            key: "drift_snapshot.source_precedence",
            value: { arrayValue: { values: ["runtime", "local", "cloud", "fallback"].map(text) } },
          },
        ],
      },
    ]);
  });

  it("takes the credential's project for the cloud default, and refuses every other one", async () => {
    const token = { RUNPROOF_HEADERS: `authorization=Bearer%20${TOKEN}` };
    expect(await runproof(["resolve"], token, guarded)).toMatchObject({ code: 0, stdout: "shop\n" });
    const other = await runproof(["resolve", "--project", "bank"], token, guarded);
    expect(other).toMatchObject({ code: 1, stdout: "" });
    expect(other.stderr).toContain("the credential is for the project shop");
    const written = await runproof(["reconcile", "--policy", "resolved_to_cloud", "--stage", "cloud"], token, guarded);
    expect(written).toMatchObject({ code: 0, stdout: expect.stringContaining("unchanged") as string });
    expect((await runproof(["status"], {}, guarded)).code).toBe(3);
  });

  it("has no scope and says why when the service is away, the local file is broken, or a name is none", async () => {
    const away = await runproof(["resolve"], { RUNPROOF_OPERATIONS_URL: "http://127.0.0.1:1" });
    expect(away).toMatchObject({ code: 3, stdout: "" });
    expect(away.stderr).toContain("cannot be reached");
    await mkdir(join(folder, ".runproof"));
    await writeFile(join(folder, ".runproof/scope.json"), "{");
    expect(await runproof(["resolve"])).toMatchObject({ code: 3, stdout: "" });
    await rm(join(folder, ".runproof"), { recursive: true });
    expect(await runproof(["resolve", "--project", "../production"])).toMatchObject({ stdout: "" });
    for (const args of [
      ["status", "--stage", "all"],
      ["reconcile", "--policy", "best"],
      ["status", "--url", "x"],
    ]) {
      expect((await runproof(args)).code).toBe(2);
    }
  });
});

describe("runproof runs list --project", () => {
  const list = async (project: string, of: ScopeService, RUNPROOF_OPERATIONS_TOKEN = "") => {
    const errors: string[] = [];
    const context = {
      env: { RUNPROOF_OPERATIONS_URL: of.url, RUNPROOF_ENDPOINT: "off", RUNPROOF_OPERATIONS_TOKEN },
      cwd: folder,
      stdout: sink([]),
      stderr: sink(errors),
      signal: new AbortController().signal,
    };
    // No store is there: who gets as far as reading it fails with its address.
    const clickhouseUrl = "http://127.0.0.1:1";
    const code = await listRuns({ project, clickhouseUrl }, context).catch((error: Error) => error.message);
    return { code, errors: errors.join("") };
  };

  it("reads the store only for a project that the service allows this credential", async () => {
    expect((await list("shop", guarded, TOKEN)).code).toContain("the store at http://127.0.0.1:1 cannot be read");
    const other = await list("bank", guarded, TOKEN);
    expect(other).toMatchObject({ code: 1, errors: expect.stringContaining("(unauthorized)") as string });
    expect((await list("shop", guarded)).code).toBe(3);
    expect((await list("../x", service)).code).toBe(1);
  });
});
