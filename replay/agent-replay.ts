#!/usr/bin/env node
import { Command } from "commander";
import type { CommandContext } from "./commands/context.ts";
import { entryContext } from "./commands/entry-context.ts";
import { action, prepare, runCommandLine } from "./commands/run-command-line.ts";
import { replay } from "./commands/replay.ts";
import { version } from "./version.ts";
import { EXIT_CODES_HELP } from "./worker/exit-codes.ts";

/** The `agent-replay` command line. */
function agentReplayProgram(context: CommandContext): Command {
  const program = prepare(new Command("agent-replay"), context);
  return program
    .description("Runs an agent's real code on a recorded failure and judges it as every run is judged.")
    .version(version())
    .requiredOption("--fixture <dir>", "folder of the fixture")
    .option(
      "--mode <mode>",
      "cassette: recorded answers; live: tools declared read-only are really called; strict: behind a wall, nothing else",
      "cassette",
    )
    .option("--agent <module>", "module with the agent's function; default: the agent's entry in runproof.config.ts")
    .option("--export <name>", "name of the exported function")
    .option("--timeout <seconds>", "kill the agent after this; default: the run's timeout and 10 s, at least 60 s")
    .option("--endpoint <url>", "OTLP/HTTP address of the service that stores the run; default http://127.0.0.1:4318")
    .option("--no-store", "do not store the run")
    .option("--json", "print one JSON document")
    .addHelpText("after", EXIT_CODES_HELP)
    .action(action(program, (flags) => replay(flags, context)));
}

const context = entryContext(process);
process.exitCode = await runCommandLine(agentReplayProgram(context), process.argv, context);
