#!/usr/bin/env node
import { Command } from "commander";
import type { CommandContext } from "./commands/context.ts";
import { entryContext } from "./commands/entry-context.ts";
import { addAlerts } from "./commands/alerts-program.ts";
import { backtest, type BacktestFlags } from "./commands/backtest.ts";
import { bisect, type BisectFlags } from "./commands/bisect.ts";
import { addCanary } from "./commands/canary-program.ts";
import { certify, type CertifyFlags } from "./commands/certify.ts";
import { type FixtureRunFlags, runFixtures } from "./commands/fixture-run.ts";
import { fixtureStatus, type FixtureStatusFlags, retireFixture } from "./commands/fixture-status.ts";
import { createFixture, type FixtureCreateFlags, type FixtureListFlags, listAllFixtures } from "./commands/fixture.ts";
import { addMcp } from "./commands/mcp-program.ts";
import { addGate } from "./commands/gate-program.ts";
import { type FixtureMinimiseFlags, minimiseCommand } from "./commands/minimise.ts";
import { action, prepare, runCommandLine } from "./commands/run-command-line.ts";
import { listRuns, type RunsListFlags, type RunsShowFlags, showRun } from "./commands/runs.ts";
import { addScope } from "./commands/scope-program.ts";
import { beginLean } from "./commands/begin-lean.ts";
import { serve, type ServeFlags } from "./commands/serve.ts";
import { checkStoreCommand, type StoreCheckFlags } from "./commands/store-check.ts";
import { version } from "./version.ts";
import { EXIT_CODES_HELP } from "./worker/exit-codes.ts";

const STORE_HELP = "HTTP interface of the store; default RUNPROOF_CLICKHOUSE_URL or http://127.0.0.1:8123";
const JSON_HELP = "print one JSON document";

/** The `runproof` command line. */
function runproofProgram(context: CommandContext): Command {
  const program = prepare(new Command("runproof"), context)
    .description("Makes AI agents prove that their runs are done.")
    .version(version())
    .addHelpText("after", EXIT_CODES_HELP);
  program
    .command("serve")
    .description("receive OTLP, store it, judge runs; on the embedded store unless told otherwise")
    .option("--port <port>", "OTLP/HTTP port; default 4318, 0 takes a free one")
    .option("--host <address>", "address to listen on; default 127.0.0.1")
    .option("--grpc-port <port>", "OTLP/gRPC port; default 4317, 0 takes a free one")
    .option("--clickhouse-port <port>", "HTTP port of the embedded store; default 8123, 0 takes a free one")
    .option("--admin-port <port>", "health, readiness and metrics; default 9464, 0 takes a free port, off opens none")
    .option("--data-dir <dir>", "where the data lives; default .runproof/data")
    .option("--auto-fixtures <dir>", "make a fixture of the first failed run of each agent and kind of failure")
    .option("--auto-fixtures-per-hour <count>", "write at most so many within an hour; default 10")
    .option(
      "--canary",
      "replay fixtures on a schedule; default RUNPROOF_CANARY=on, or canary.serve of the configuration",
    )
    .action(
      action(program, (flags: ServeFlags) => {
        beginLean();
        return serve(flags, context);
      }),
    );
  addRuns(program, context);
  addBacktest(program, context);
  addFixture(program, context);
  addStore(program, context);
  addAlerts(program, context);
  addGate(program, context);
  addCanary(program, context);
  addScope(program, context);
  addMcp(program, context);
  return program;
}

function addRuns(program: Command, context: CommandContext): void {
  const runs = program.command("runs").description("look at run records");
  runs
    .command("list")
    .description("current run records, newest first")
    .option("--agent <name>", "of this agent")
    .option(
      "--project <name>",
      "of this project, if the service allows it (runproof scope); default all that may be read",
    )
    .option("--status <status>", "started, passed, failed, blocked, degraded, skipped or inconclusive")
    .option("--type <type>", "live, replay or canary")
    .option("--since <time>", "started since: 30m, 24h, 7d or an ISO date")
    .option("--limit <count>", "at most this many; default 50")
    .option("--json", JSON_HELP)
    .option("--clickhouse-url <url>", STORE_HELP)
    .action(action(program, (flags: RunsListFlags) => listRuns(flags, context)));
  runs
    .command("show <run_id>")
    .description("one run: record, reasons with clause and evidence, proofs, history, calls")
    .option("--json", JSON_HELP)
    .option("--clickhouse-url <url>", STORE_HELP)
    .action(action(program, (runId: string, flags: RunsShowFlags) => showRun(runId, flags, context)));
}

function addBacktest(program: Command, context: CommandContext): void {
  program
    .command("backtest")
    .description("judge stored history with a contract it did not have, and list the runs that were silently wrong")
    .requiredOption("--contract <file>", "the contract: .json, or a .ts or .mjs module with it as default export")
    .option("--agent <name>", "whose runs; default the contract's agent")
    .option("--since <time>", "started since: 30m, 24h, 7d or an ISO date", "30d")
    .option("--type <type>", "live, replay or canary", "live")
    .option("--project <name>", "of this project; default all that may be read")
    .option("--limit <count>", "list at most this many, the newest; default 50. All are counted")
    .option("--concurrency <threads>", "threads that read and judge; default one for each core, at most 4")
    .option("--json", JSON_HELP)
    .option("--stream", "print a line of JSON for each run that was silently wrong, and one with the counts at the end")
    .option("--clickhouse-url <url>", STORE_HELP)
    .addHelpText(
      "after",
      "\nExit code 0: nothing was silently wrong, 1: something was, 4: nothing could be judged, 3: the store cannot be read.",
    )
    .action(action(program, (flags: BacktestFlags) => backtest(flags, context)));
}

function addFixture(program: Command, context: CommandContext): void {
  const fixture = program.command("fixture").description("make and list replay fixtures");
  fixture
    .command("create <run_id>")
    .description("rebuild a failed run as a fixture, from its stored trace alone")
    .option("--id <fixture_id>", "name of the fixture; default made of agent and failure class")
    .option("--out <dir>", "where fixtures live; default fixtures/agent_failure_forensics")
    .option("--required-status <status,...>", "how a mended agent may end; default passed")
    .option("--force", "replace a fixture that exists")
    .option("--json", JSON_HELP)
    .option("--clickhouse-url <url>", STORE_HELP)
    .action(action(program, (runId: string, flags: FixtureCreateFlags) => createFixture(runId, flags, context)));
  addMinimise(fixture, program, context);
  fixture
    .command("list")
    .description("the fixtures of a folder, readable or not")
    .option("--out <dir>", "where fixtures live; default fixtures/agent_failure_forensics")
    .option("--json", JSON_HELP)
    .action(action(program, (flags: FixtureListFlags) => listAllFixtures(flags, context)));
  addProof(program, fixture, context);
  addSuite(program, fixture, context);
}

function addSuite(program: Command, fixture: Command, context: CommandContext): void {
  fixture
    .command("run [dir]")
    .description("replay the fixtures of a folder, several at a time")
    .option(
      "--shard <index/count>",
      "only this part, as 1/4: by SHA-256 of the fixture id, so on every machine the same",
    )
    .option("--filter <text>", "only fixtures with this in their id, or whose id matches it with * for any text")
    .option("--jobs <count>", "replays at the same time; default as many as there are cores")
    .option(
      "--mode <mode>",
      "cassette: calls are answered from their recordings; strict: and nothing gets out",
      "cassette",
    )
    .option("--warm", "let a process run many replays; only the agent's own modules are loaded anew")
    .option("--timeout <seconds>", TIMEOUT_HELP)
    .option("--endpoint <url>", "OTLP/HTTP address of the service that stores the runs; default http://127.0.0.1:4318")
    .option("--no-store", "do not store the runs")
    .option("--junit <file>", "write JUnit XML")
    .option("--github", "print GitHub annotations")
    .option("--json", JSON_HELP)
    .addHelpText(
      "after",
      "\nThe exit code is that of the worst outcome: 2, 5, 3, 1, 4, 0. Retired fixtures are skipped.",
    )
    .action(action(program, (dir: string | undefined, flags: FixtureRunFlags) => runFixtures(dir, flags, context)));
}

const REF_HELP = "branch, tag or commit, maybe with :<module path>";
const AGENT_HELP = "the agent's module, from the repository's root; default: the agent's entry in runproof.config.ts";
const TIMEOUT_HELP = "kill the agent after this; default: the run's timeout and 10 s, at least 60 s";

/** The verbs of a fixture's life: its proof, the commit that broke it, its state, its end. */
function addProof(program: Command, fixture: Command, context: CommandContext): void {
  fixture
    .command("certify <dir>")
    .description(
      "prove a fixture: it fails on the broken code and passes on the fixed, each time; the proof goes to notes.json",
    )
    .requiredOption("--broken <ref>", `code that fails: ${REF_HELP}`)
    .requiredOption("--fixed <ref>", `code that passes: ${REF_HELP}`)
    .option("--agent <module>", AGENT_HELP)
    .option("--export <name>", "name of the exported function")
    .option("--runs <count>", "replays on each side; default 3")
    .option("--mode <mode>", "cassette or strict", "cassette")
    .option("--timeout <seconds>", TIMEOUT_HELP)
    .option("--json", JSON_HELP)
    .action(action(program, (dir: string, flags: CertifyFlags) => certify(dir, flags, context)));
  fixture
    .command("bisect <dir>")
    .description("find the first commit, along first parents, whose replay fails")
    .requiredOption("--good <ref>", "a commit that passes")
    .requiredOption("--bad <ref>", "a later commit that fails")
    .option("--agent <module>", AGENT_HELP)
    .option("--export <name>", "name of the exported function")
    .option("--runs <count>", "replays of each commit, which must agree; default 1")
    .option("--mode <mode>", "cassette or strict", "cassette")
    .option("--timeout <seconds>", TIMEOUT_HELP)
    .option("--json", JSON_HELP)
    .action(action(program, (dir: string, flags: BisectFlags) => bisect(dir, flags, context)));
  fixture
    .command("status [dir]")
    .description(
      "the state of a fixture, or of all in a folder, now: candidate, certified, stale, flaky or retired, and why",
    )
    .option(
      "--max-age <days>",
      "a proof is stale after this; default certificateMaxAgeDays of the configuration, or 90",
    )
    .option("--check", "exit code 1 unless all are certified or retired")
    .option("--no-store", "do not compare prompt version, model and tools with the agent's newest live run")
    .option("--json", JSON_HELP)
    .option("--clickhouse-url <url>", STORE_HELP)
    .action(
      action(program, (dir: string | undefined, flags: FixtureStatusFlags) => fixtureStatus(dir, flags, context)),
    );
  fixture
    .command("retire <dir>")
    .description("take a fixture out of service, with the reason")
    .requiredOption("--reason <text>", "why")
    .action(action(program, (dir: string, flags: { reason: string }) => retireFixture(dir, flags, context)));
}

function addMinimise(fixture: Command, program: Command, context: CommandContext): void {
  fixture
    .command("minimise <fixture>")
    .description("make a smaller fixture that shows the same failure; asks no model")
    .option("--agent <module>", "module with the agent's function; default: its entry in runproof.config.ts")
    .option("--export <name>", "name of the exported function")
    .option("--fixed-agent <module>", "code that mends the failure: what it needs to pass stays")
    .option("--fixed-export <name>", "name of its exported function")
    .option("--out <dir>", "where the smaller fixture goes; default: beside the fixture")
    .option("--id <fixture_id>", "name of the smaller fixture; default: the fixture's with _min")
    .option("--force", "replace a fixture that exists")
    .option("--resume", "go on with a search that was stopped")
    .option("--jobs <count>", "replays at the same time; default: one for each core, at most 4")
    .option("--max-replays <count>", "stop after this many, with the smallest so far")
    .option("--timeout <seconds>", "of one replay; default: ten times what the whole fixture takes, at least 10 s")
    .option("--json", JSON_HELP)
    .action(
      action(program, (directory: string, flags: FixtureMinimiseFlags) => minimiseCommand(directory, flags, context)),
    );
}

function addStore(program: Command, context: CommandContext): void {
  const store = program.command("store").description("look after the store");
  store
    .command("check")
    .description("what is wrong with the store's schema, rights, settings, clock or cluster; changes nothing")
    .option("--json", JSON_HELP)
    .option(
      "--clickhouse-url <url>",
      "a ClickHouse server; default RUNPROOF_CLICKHOUSE_SERVER_URL, without it the embedded store",
    )
    .addHelpText(
      "after",
      "\nUser, password, database, cluster and retention are those of the service: RUNPROOF_CLICKHOUSE_SERVER_USER,\n" +
        "RUNPROOF_CLICKHOUSE_SERVER_PASSWORD, RUNPROOF_CLICKHOUSE_SERVER_DATABASE, RUNPROOF_CLICKHOUSE_CLUSTER,\n" +
        "RUNPROOF_RETENTION_DAYS, RUNPROOF_RETENTION. Exit code 0: fine, 1: findings, 3: the store does not answer.",
    )
    .action(action(program, (flags: StoreCheckFlags) => checkStoreCommand(flags, context)));
}

const context = entryContext(process);
process.exitCode = await runCommandLine(runproofProgram(context), process.argv, context);
