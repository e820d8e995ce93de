/**
 * `node examples/fleet/exercise.ts [--every 30] [--json]`: the control loop on a running fleet. Real service, store, canaries,
 * fixtures, alerts and gate; only the schedule is quicker (`--every`, seconds, in place of 15 and 60 minutes). First the scheduler, the store
 * and the collector are stopped in turn, and the gate must close; then 20 silent failures are let loose, and each must
 * become a failed run, a fixture, a failing canary and an alert, without anybody doing anything. Needs this repository's
 * commits, and chDB. Exit code 1: something is missing.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startServerFixture } from "../../processor/clickhouse/testing/server-fixture.ts";
import { table } from "../../replay/commands/table.ts";
import { type SeedOutcome, watchSeeds, windowsByClass } from "./exercise/outcomes.ts";
import { makePlace } from "./exercise/place.ts";
import { createPrograms } from "./exercise/processes.ts";
import { askGate, measureSilences, type Silence } from "./exercise/silences.ts";

const { values } = parseArgs({
  options: { every: { type: "string", default: "30" }, json: { type: "boolean", default: false } },
});
const everySeconds = Number(values.every);
const began = Date.now();
const tell = (line: string): void =>
  void process.stderr.write(`${((Date.now() - began) / 1_000).toFixed(0).padStart(4)} s  ${line}\n`);

const store = await startServerFixture();
const place = await makePlace(everySeconds);
const programs = createPrograms(place, store.url, everySeconds);
const ended = (): void => void programs.close().finally(() => process.exit(130));
process.once("SIGINT", ended).once("SIGTERM", ended);
try {
  await programs.startCollector();
  programs.startScheduler();
  const silences = await measureSilences({ programs, store, place, everySeconds, tell });
  tell("20 silent failures are let loose");
  const { stderr, code } = await programs.node([join(place.fleet, "main.ts")], place.fleet);
  if (code !== 0) throw new Error(`the fleet ended with ${code}: ${stderr}`);
  const outcomes = await watchSeeds(programs, place, 20 * everySeconds);
  const gate = await askGate(place);
  report({ silences, outcomes, gate });
} finally {
  await programs.close();
  await store.close();
  await place.close();
}

interface Report {
  readonly silences: readonly Silence[];
  readonly outcomes: readonly SeedOutcome[];
  readonly gate: { readonly open: boolean; readonly codes: readonly string[] };
}

function report({ silences, outcomes, gate }: Report): void {
  const yes = (it: boolean): string => (it ? "yes" : "MISSING");
  const minutes = (it: number | null): string => (it === null ? "still open" : it.toFixed(2));
  const complete = outcomes.filter((it) => it.failedRun && it.fixture !== null && it.failingCanary && it.alert).length;
  const late = silences.filter(({ seconds, limitSeconds, exitCode }) => seconds > limitSeconds || exitCode === 0);
  if (values.json) process.stdout.write(`${JSON.stringify({ everySeconds, silences, outcomes, gate, complete })}\n`);
  else {
    const rows = outcomes.map((it) => [
      ...[it.seed, it.agent, it.failureClass, yes(it.failedRun), it.fixture ?? "MISSING", yes(it.failingCanary)],
      ...[yes(it.alert), minutes(it.silentMinutes)],
    ]);
    const head = ["SEED", "AGENT", "FAILURE CLASS", "FAILED RUN", "FIXTURE", "FAILING CANARY", "ALERT", "MINUTES"];
    const windows = windowsByClass(outcomes).map((it) => [it.failureClass, String(it.seeds), minutes(it.minutes)]);
    const stops = silences.map((it) => [
      it.stopped,
      it.seconds.toFixed(1),
      String(it.limitSeconds),
      it.codes.join(", "),
    ]);
    process.stdout.write(
      `${table(head, rows)}\n${table(["FAILURE CLASS", "SEEDS", "SILENT FAILURE WINDOW, MINUTES"], windows)}\n` +
        `${table(["STOPPED", "GATE CLOSED AFTER, S", "TWO INTERVALS, S", "EXIT CODE", "REASONS"], stops)}\n` +
        `${complete} of ${outcomes.length} came all the way; the gate is ${gate.open ? "OPEN" : `closed (${gate.codes.join(", ")})`}\n`,
    );
  }
  if (complete < outcomes.length || late.length > 0 || gate.open) process.exitCode = 1;
}
