import type { Played } from "./play-scenario.ts";
import type { Example } from "./scenario.ts";

/** What became of each scenario, for people. */
export function exampleTable({ agent, scenarios }: Example, played: readonly Played[]): string {
  const rows = played.map((one) => [
    one.scenario,
    told(one.expected_status, one.expected_reasons),
    told(one.status, one.reasons),
    one.ok ? "ok" : "MISMATCH",
  ]);
  const lines = aligned([["scenario", "expected", "verdict", ""], ...rows]);
  const details = played.map((one) => {
    const about = scenarios.find(({ name }) => name === one.scenario)?.about ?? "";
    const why = one.failure_reason === null ? "" : `\n    runproof says: ${one.failure_reason}`;
    return `  ${one.scenario}: ${about}\n    the agent said: ${one.answer ?? "(it threw)"}${why}`;
  });
  return [agent, "", ...lines, "", ...details].join("\n");
}

const told = (status: string, reasons: readonly string[]): string => [status, ...reasons].join(" ");

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
