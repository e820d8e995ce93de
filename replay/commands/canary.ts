import { availableParallelism, hostname } from "node:os";
import { tiersOf } from "../canary/canary-config.ts";
import { canaryJson } from "../canary/canary-json.ts";
import { canaryExitCode } from "../canary/canary-exit-code.ts";
import { recordOfRound } from "../canary/record-of-round.ts";
import type { CanaryResult } from "../canary/replay-member.ts";
import { countsText, type RoundReport } from "../canary/round.ts";
import { nextStep } from "../canary/schedule.ts";
import { slotAt } from "../canary/slot.ts";
import { createTierRecords } from "../canary/tier-record.ts";
import { CANARY_MODES, type Tier } from "../canary/tier.ts";
import { loadConfig, type LoadedConfig } from "../config.ts";
import { safeJson, safeLine } from "../safe-text.ts";
import { parseShard, type Shard } from "../suite/shard.ts";
import { type Style, styleFor } from "../worker/report.ts";
import { EXIT } from "../worker/exit-codes.ts";
import { canaryDirectory, createCanaryRounds, dataDirectoryFrom, outboxDirectory } from "./canary-rounds.ts";
import type { CommandContext } from "./context.ts";
import { clickhouseUrl, otlpUrl } from "./open-store.ts";
import { UsageError } from "./run-command-line.ts";
import { timeoutFrom } from "./timeout-flag.ts";

export interface CanaryRunFlags {
  readonly tier: string;
  readonly shard?: string;
  readonly mode?: string;
  readonly jobs?: string;
  readonly timeout?: string;
  readonly endpoint?: string;
  readonly clickhouseUrl?: string;
  readonly dataDir?: string;
  readonly json?: true;
}

/** `runproof canary run --tier <name>`: one round, or a shard of it, now. */
export async function runCanary(flags: CanaryRunFlags, context: CommandContext): Promise<number> {
  const loaded = await loadConfig(context.cwd);
  const tier = tierFrom(flags, loaded);
  const shard = shardFrom(flags.shard);
  const dataDirectory = dataDirectoryFrom(flags, context);
  const log = (message: string): void => void context.stderr.write(`note: ${safeLine(message, 2_000)}\n`);
  const rounds = createCanaryRounds({
    context,
    loaded,
    hostId: hostname(),
    outboxDirectory: outboxDirectory(dataDirectory),
    otlpUrl: otlpUrl(flags.endpoint, context, loaded),
    clickhouseUrl: clickhouseUrl(flags.clickhouseUrl, context, loaded),
    jobs: jobsFrom(flags.jobs) ?? loaded.config.canary?.jobs ?? availableParallelism(),
    log,
  });
  // Shards run on different machines, and must agree on the slot: here no host has a phase of its own.
  const grid = { everyMillis: tier.everySeconds * 1_000, phaseMillis: 0 };
  const slot = slotAt(Date.now(), grid);
  const records = createTierRecords(canaryDirectory(dataDirectory), log);
  const before = await records.read(tier.name);
  const step = nextStep(grid, { lastSlot: before?.last_slot ?? null, runningSlot: null }, slot);
  const due = { tier, slot, shard, missedSlots: step.type === "start" ? step.missed : 0 };
  const style = styleFor(context.stderr);
  const report = await rounds(due, context.signal, (result, place) => {
    context.stderr.write(resultLine(result, place, style));
  });
  const { missed_slots_total: missed = 0, skipped_slots_total: skippedTotal = 0 } = before ?? {};
  const so = { lastSlot: slot, phaseMillis: 0, missedTotal: missed + due.missedSlots, skippedTotal };
  if (report.complete) await records.write(recordOfRound(due, report, so));
  return tell(report, { tier, shard, flags, context });
}

interface Told {
  readonly tier: Tier;
  readonly shard: Shard;
  readonly flags: CanaryRunFlags;
  readonly context: CommandContext;
}

function tell(report: RoundReport, { tier, shard, flags, context }: Told): number {
  const code = context.signal.aborted ? EXIT.interrupted : canaryExitCode(report);
  if (flags.json) context.stdout.write(safeJson(canaryJson(report, { tier, shard, exitCode: code })));
  else context.stdout.write(`${report.roundId}: ${countsText(report.counts)}\n`);
  if (report.fixtureIds.length === 0) {
    context.stderr.write(`note: no fixture is in the tier ${tier.name}, so nothing is proven\n`);
  }
  if (report.problem !== null) {
    context.stderr.write(`error: the service did not take the results: ${safeLine(report.problem)}\n`);
    context.stderr.write(`${report.unsent} events are kept and sent with the next round; the results are these:\n`);
    for (const result of report.results) context.stderr.write(`  ${result.outcome}  ${safeLine(result.fixtureId)}\n`);
  }
  if (report.unstored > 0) context.stderr.write(`error: the service did not take ${report.unstored} runs\n`);
  return code;
}

const FORMATS = { passing: "green", failing: ["bold", "red"], stale: "yellow", unknown: "yellow" } as const;

/** One line of progress, and why it is not green. */
function resultLine(result: CanaryResult, { done, total }: { done: number; total: number }, style: Style): string {
  const { outcome, fixtureId, state, durationMillis, explanation } = result;
  const count = `${String(done).padStart(String(total).length)}/${total}`;
  const head = `${count}  ${style(FORMATS[outcome], outcome)}  ${safeLine(fixtureId)} (${state})  ${(durationMillis / 1_000).toFixed(1)} s`;
  return outcome === "passing" ? `${head}\n` : `${head}\n    ${safeLine(explanation, 2_000)}\n`;
}

function tierFrom(flags: CanaryRunFlags, { config }: LoadedConfig): Tier {
  const tiers = tiersOf(config.canary);
  const tier = tiers.find(({ name }) => name === flags.tier);
  if (tier === undefined) {
    throw new UsageError(`there is no tier "${flags.tier}"; there are ${tiers.map(({ name }) => name).join(", ")}`);
  }
  const mode = CANARY_MODES.find((one) => one === (flags.mode ?? tier.mode));
  if (mode === undefined) throw new UsageError(`--mode must be one of ${CANARY_MODES.join(", ")}`);
  const { timeoutMillis } = timeoutFrom(flags.timeout);
  return { ...tier, mode, ...(timeoutMillis !== undefined && { timeoutSeconds: timeoutMillis / 1_000 }) };
}

function shardFrom(text: string | undefined): Shard {
  const shard = text === undefined ? { index: 1, count: 1 } : parseShard(text);
  if (shard === undefined) throw new UsageError("--shard is <index>/<count>, as 1/4, with 1 <= index <= count");
  return shard;
}

function jobsFrom(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,2}$/.test(text) || Number(text) > 256) throw new UsageError("--jobs must be 1 to 256");
  return Number(text);
}
