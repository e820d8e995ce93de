import type { Command } from "commander";
import { type CanaryRunFlags, runCanary } from "./canary.ts";
import { canaryStatus, type CanaryStatusFlags } from "./canary-status.ts";
import type { CommandContext } from "./context.ts";
import { action } from "./run-command-line.ts";

const JSON_HELP = "print one JSON document";
const DATA_HELP = "where schedules and unsent results are kept; default RUNPROOF_DATA_DIR or .runproof/data";

/** `runproof canary run` and `runproof canary status`. */
export function addCanary(program: Command, context: CommandContext): void {
  const canary = program.command("canary").description("replay fixtures on a schedule, as canaries");
  canary
    .command("run")
    .description("one round of a tier, now: what a CronJob calls")
    .requiredOption("--tier <name>", "critical, broad, full, or a name of the configuration")
    .option("--shard <index/count>", "only this part, as 1/4; shards of a round agree on its slot")
    .option("--mode <mode>", "cassette, strict or strict_if_possible; default that of the tier")
    .option(
      "--jobs <count>",
      "replays at the same time; default canary.jobs of the configuration, or one for each core",
    )
    .option("--timeout <seconds>", "kill a replay after this; default timeoutSeconds of the tier")
    .option("--endpoint <url>", "OTLP/HTTP address of the service that is told; default http://127.0.0.1:4318")
    .option(
      "--clickhouse-url <url>",
      "store with the newest live runs; default RUNPROOF_CLICKHOUSE_URL or http://127.0.0.1:8123",
    )
    .option("--data-dir <dir>", DATA_HELP)
    .option("--json", JSON_HELP)
    .addHelpText(
      "after",
      "\nExit code 0: all passing, 1: one is failing, 4: one is stale or unknown, or there are none,\n" +
        "3: the service did not take all results. A token is sent with RUNPROOF_HEADERS=authorization=Bearer%20<token>.",
    )
    .action(action(program, (flags: CanaryRunFlags) => runCanary(flags, context)));
  canary
    .command("status")
    .description("each tier: interval, last round, next slot, missed slots")
    .option("--data-dir <dir>", DATA_HELP)
    .option("--json", JSON_HELP)
    .action(action(program, (flags: CanaryStatusFlags) => canaryStatus(flags, context)));
}
