import type { Command } from "commander";
import { GATE_CODES } from "../../processor/monitor/gate/gate-codes.ts";
import type { CommandContext } from "./context.ts";
import {
  gateCommand,
  type GateFlags,
  overrideGate,
  type OverrideFlags,
  revokeOverride,
  type RevokeFlags,
} from "./gate.ts";
import { OPERATIONS_URL_HELP } from "./operations-client.ts";
import { action } from "./run-command-line.ts";

const JSON_HELP = "print one JSON document";
const BY_HELP = "who answers for it; default the name of this machine's user";

/** `runproof gate`, `runproof gate override` and `runproof gate revoke`. */
export function addGate(program: Command, context: CommandContext): void {
  const gate = program
    .command("gate")
    .description("whether the agents' proofs hold now, with every reason why not")
    .option("--url <url>", OPERATIONS_URL_HELP)
    .option("--project <name>", "of this project alone; default all")
    .option("--wait <seconds>", "ask again for so long until it is open")
    .option("--github", "print GitHub annotations")
    .option("--json", JSON_HELP)
    .addHelpText("after", "\nExit code 0: open, 1: closed, 3: nobody answers, which is closed.")
    .action(action(program, (flags: GateFlags) => gateCommand(flags, context)));
  gate
    .command("override")
    .description("go on in spite of some reasons, for a while; it is recorded and ends by itself")
    .requiredOption("--code <code...>", `reasons to override: ${GATE_CODES.join(", ")}`)
    .requiredOption("--for <time>", "30m, 2h, 1d; at most 7d")
    .requiredOption("--reason <text>", "why")
    .option("--fixture <id>", "only for this fixture")
    .option("--by <name>", BY_HELP)
    .option("--url <url>", OPERATIONS_URL_HELP)
    .option("--json", JSON_HELP)
    .action(
      action(program, (_own: OverrideFlags, command: Command) => overrideGate(command.optsWithGlobals(), context)),
    );
  gate
    .command("revoke <id>")
    .description("take an override back")
    .option("--by <name>", BY_HELP)
    .option("--url <url>", OPERATIONS_URL_HELP)
    .option("--json", JSON_HELP)
    .action(
      action(program, (id: string, _own: RevokeFlags, command: Command) =>
        revokeOverride(id, command.optsWithGlobals(), context),
      ),
    );
}
