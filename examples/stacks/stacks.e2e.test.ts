import { cp, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { REDACTION_KEY_FILE } from "../../instrumentation/capture/redaction-key.ts";
import { defineContract } from "../../instrumentation/index.ts";
import { ATTR_RUN_ID, ATTR_SILENT_RETRIES } from "../../instrumentation/semconv.ts";
import { runFactsFromSpans } from "../../processor/evidence/run-facts-from-spans.ts";
import { judge } from "../../processor/verdict/judge.ts";
import { createPlayer } from "../../replay/cassette/player.ts";
import { buildFixture } from "../../replay/fixture/build-fixture.ts";
import { openOtlpTap } from "../../replay/sandbox/otlp-tap.ts";
import { runChild } from "../../replay/sandbox/run-child.ts";
import { startProviderServer, type ProviderServer } from "./provider-server.ts";
import { runProgram } from "./run-program.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** As built: what `--import runproof/register` loads. */
const REGISTER = pathToFileURL(join(ROOT, "dist", "processor", "register", "register.js")).href;

let provider: ProviderServer;
let folder: string;
beforeAll(async () => {
  provider = await startProviderServer();
  folder = await mkdtemp(join(tmpdir(), "runproof-stacks-test-"));
  await cp(join(ROOT, "examples", "stacks", "agents"), folder, { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"), "junction");
});
beforeEach(() => provider.reset());
afterAll(async () => {
  await provider.close();
  await rm(folder, { recursive: true, force: true });
});

const expected = ["Bern", "Rome"].map((city) => ({ tool: "weather", arguments: { city } }));
const times = (exactly: number) => ({ expected: expected.map((one) => ({ ...one, times: { exactly } })) });

interface Case {
  readonly stack: string;
  readonly calls: number;
  readonly silentRetries: string | undefined;
  readonly isInferred: true | undefined;
}

// Everything else of the matrix, with other versions and runtimes, is `matrix.ts`.
test.each<Case>([
  { stack: "openai", calls: 1, silentRetries: "1", isInferred: true },
  { stack: "anthropic", calls: 1, silentRetries: "1", isInferred: true },
  { stack: "plain", calls: 3, silentRetries: "1", isInferred: true },
  { stack: "mcp", calls: 1, silentRetries: undefined, isInferred: undefined },
])("an agent of $stack is judged without a change to its code, and replayed without a network", async (one) => {
  const contract = defineContract({
    agent: one.stack,
    artifacts: [{ name: "report", path: "report.json" }],
    sideEffects: times(one.calls),
  });
  const rows = await recorded(one.stack, contract);
  const runId = rows.map((row) => row.SpanAttributes[ATTR_RUN_ID] ?? "").find((id) => id !== "") ?? "";
  const facts = runFactsFromSpans(runId, rows);
  const verdict = judge(facts.evidence, facts.contract);
  expect(verdict.reasons.map(({ code }) => code)).toEqual(["missing_artifact_ref"]);
  const booked = facts.evidence.toolCalls.filter((call) => call.name === "weather" && call.errorClass === null);
  expect(booked.map(({ isInferred }) => isInferred)).toEqual(
    Array.from({ length: one.calls * 2 }, () => one.isInferred),
  );
  expect(rows.map((row) => row.SpanAttributes[ATTR_SILENT_RETRIES]).find((it) => it !== undefined)).toBe(
    one.silentRetries,
  );

  const built = buildFixture(facts, verdict, { fixtureId: `stack_${one.stack}` });
  if (!built.ok) throw new Error(JSON.stringify(built.refusals));
  const before = provider.requests();
  const player = createPlayer(built.fixture.cassette);
  const module = pathToFileURL(join(folder, "run.mjs")).href;
  const child = await runChild({
    fixture: built.fixture,
    agent: { module, exportName: "default", opensNoRun: true, passEnvironment: ["STACKS_PROVIDER_URL"] },
    player,
    environment: { PATH: process.env["PATH"], STACKS_PROVIDER_URL: provider.url },
    redactionKeyFile: join(folder, "state", REDACTION_KEY_FILE),
    timeoutMillis: 60_000,
  });
  expect(child.outcome, child.stderr).toEqual({ type: "returned" });
  expect(player.report()).toMatchObject({ misses: [], unused: [] });
  expect(provider.requests()).toBe(before);
  const replayed = child.rows.map((row) => row.SpanAttributes[ATTR_RUN_ID] ?? "").find((id) => id !== "") ?? "";
  const again = runFactsFromSpans(replayed, child.rows);
  expect(judge(again.evidence, again.contract).reasons).toMatchObject([{ code: "missing_artifact_ref" }]);
});

/** The spans of an agent's process that knows nothing of runproof. */
async function recorded(stack: string, contract: object) {
  const tap = await openOtlpTap();
  try {
    const config = { agents: { [stack]: { contract } } };
    await writeFile(join(folder, "runproof.config.mjs"), `export default ${JSON.stringify(config)};\n`);
    const ended = await runProgram(process.execPath, {
      args: ["--import", REGISTER, join(folder, "run.mjs"), stack],
      cwd: folder,
      env: {
        PATH: process.env["PATH"] ?? "",
        RUNPROOF_ENDPOINT: tap.url,
        RUNPROOF_STATE_DIR: join(folder, "state"),
        RUNPROOF_BOUNDARY: "process",
        RUNPROOF_AGENT_NAME: stack,
        STACKS_PROVIDER_URL: provider.url,
      },
      timeoutMillis: 60_000,
    });
    if (ended.code !== 0) throw new Error(`the agent ended with ${ended.code}: ${ended.stderr}`);
    return [...tap.rows];
  } finally {
    await tap.close();
  }
}
