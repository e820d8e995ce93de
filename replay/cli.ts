#!/usr/bin/env node
import { Command } from "commander";
import type { CommandContext } from "./commands/context.ts";
import { entryContext } from "./commands/entry-context.ts";
import { createFixture, type FixtureCreateFlags, type FixtureListFlags, listAllFixtures } from "./commands/fixture.ts";
import { action, prepare, runCommandLine } from "./commands/run-command-line.ts";
import { listRuns, type RunsListFlags, type RunsShowFlags, showRun } from "./commands/runs.ts";
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
    .option("--auto-fixtures <dir>", "make a fixture of the first failed run of each agent and failure class")
    .action(action(program, (flags: ServeFlags) => serve(flags, context)));
  addRuns(program, context);
  addFixture(program, context);
  addStore(program, context);
  return program;
}

function addRuns(program: Command, context: CommandContext): void {
  const runs = program.command("runs").description("look at run records");
  runs
    .command("list")
    .description("current run records, newest first")
    .option("--agent <name>", "of this agent")
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

function addFixture(program: Command, context: CommandContext): void {
  const fixture = program.command("fixture").description("make and list replay fixtures");
  fixture
    .command("create <run_id>")
    .description("rebuild a failed run as a fixture, from its stored trace alone")
    .option("--id <fixture_id>", "name of the fixture; default made of agent and failure class")
    .option("--out <dir>", "where fixtures live; default fixtures/agent_failure_forensics")
    .option("--force", "replace a fixture that exists")
    .option("--json", JSON_HELP)
    .option("--clickhouse-url <url>", STORE_HELP)
    .action(action(program, (runId: string, flags: FixtureCreateFlags) => createFixture(runId, flags, context)));
  fixture
    .command("list")
    .description("the fixtures of a folder, readable or not")
    .option("--out <dir>", "where fixtures live; default fixtures/agent_failure_forensics")
    .option("--json", JSON_HELP)
    .action(action(program, (flags: FixtureListFlags) => listAllFixtures(flags, context)));
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
