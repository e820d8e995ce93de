import type { Command } from "commander";
import { type AlertsListFlags, listAlerts, resolveAlert, type ResolveFlags, showAlert } from "./alerts.ts";
import type { CommandContext } from "./context.ts";
import { OPERATIONS_URL_HELP } from "./operations-client.ts";
import { action } from "./run-command-line.ts";

const JSON_HELP = "print one JSON document";

/** `runproof alerts list`, `show` and `resolve`. */
export function addAlerts(program: Command, context: CommandContext): void {
  const alerts = program.command("alerts").description("failure classes that production runs or canaries showed");
  alerts
    .command("list")
    .description("alerts, newest first")
    .option("--state <state>", "firing, resolved or all; default firing")
    .option("--project <name>", "of this project")
    .option("--limit <count>", "at most this many; default 100")
    .option("--url <url>", OPERATIONS_URL_HELP)
    .option("--json", JSON_HELP)
    .action(action(program, (flags: AlertsListFlags) => listAlerts(flags, context)));
  alerts
    .command("show <alert_id>")
    .description("one alert: first and last bad run, silent window, who resolved it")
    .option("--url <url>", OPERATIONS_URL_HELP)
    .option("--json", JSON_HELP)
    .action(action(program, (id: string, flags: AlertsListFlags) => showAlert(id, flags, context)));
  alerts
    .command("resolve <alert_id>")
    .description("say that it is mended; otherwise a certified fixture says so, and silence never does")
    .requiredOption("--reason <text>", "why")
    .option("--by <name>", "who says so; default the name of this machine's user")
    .option("--url <url>", OPERATIONS_URL_HELP)
    .option("--json", JSON_HELP)
    .action(action(program, (id: string, flags: ResolveFlags) => resolveAlert(id, flags, context)));
}
