import type { Proof, Reason } from "../../instrumentation/contract/verdict.ts";
import { parseJson, type JsonValue } from "../../instrumentation/json/json.ts";
import type { Completeness } from "../../processor/evidence/dialect/index.ts";
import type { RunRow } from "../../processor/clickhouse/run-rows.ts";
import { interactionsFromCalls } from "../fixture/interactions-from-calls.ts";
import { safeLine } from "../safe-text.ts";
import { runRecordFromRow } from "./run-record-json.ts";
import type { StoredRun } from "./stored-run.ts";

/** Everything known about one run, as `--json` gives it. */
export type RunDetails = ReturnType<typeof runDetails>;

export const runDetails = ({ row, facts }: StoredRun, history: readonly RunRow[]) => ({
  run: runRecordFromRow(row),
  reasons: jsonList(row.reasons) as unknown as readonly Reason[],
  proofs: jsonList(row.proofs) as unknown as readonly Proof[],
  history: history.map((one) => ({
    status: one.status,
    failure_class: one.failure_class,
    failure_reason: one.failure_reason,
    evidence_rank: one.evidence_rank,
    fact_count: one.fact_count,
    judged_at: new Date(one.judged_at).toISOString(),
  })),
  calls: interactionsFromCalls(facts.calls).map((call, index) => ({
    ...call,
    problems: facts.calls.find((it) => it.spanId === call.source_span_id)?.problems ?? [],
    index,
  })),
  /** How far the trace of another instrumentation goes; `null` for a run that runproof recorded. */
  completeness: facts.completeness ?? null,
});

/** For people. Everything in it came from spans. */
export function runDetailsText(details: RunDetails): string {
  const { run, reasons, proofs, history, calls, completeness } = details;
  const lines = [
    ...Object.entries(run).map(([name, value]) => `${name.padEnd(16)} ${safeLine(valueText(value))}`),
    ...section("reasons", reasons.flatMap(reasonLines)),
    ...section(
      "proofs",
      proofs.map((it) => `${safeLine(it.clause)}: ${safeLine(it.observed)} ${evidenceText(it)}`),
    ),
    ...section(
      "history",
      history.map(
        (it) => `${it.judged_at} ${it.status} ${it.failure_class} (rank ${it.evidence_rank}, ${it.fact_count} facts)`,
      ),
    ),
    ...section(
      "calls",
      calls.map((it) => {
        const end = it.outcome === "threw" ? `threw ${it.error.name}: ${it.error.message}` : "returned";
        const problems = it.problems.length === 0 ? "" : ` [${it.problems.join("; ")}]`;
        return safeLine(`${it.path} ${it.kind} ${it.side_effect} ${it.duration_ms} ms, ${end}${problems}`);
      }),
    ),
    ...section("completeness", completeness === null ? [] : completenessLines(completeness)),
  ];
  return `${lines.join("\n")}\n`;
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${safeLine(line, 1_000)}`)];

/** What keeps the run from being judged or replayed first, and what only makes the picture poorer in one line. */
function completenessLines({ grade, missing }: Completeness): string[] {
  const lacks = missing.filter(({ needed }) => needed !== "nothing");
  const poorer = new Set(missing.filter(({ needed }) => needed === "nothing").map(({ field }) => field));
  return [
    grade,
    ...lacks.map(({ step, field, needed }) => `${step}: lacks ${field}, needed for a ${needed}`),
    ...(poorer.size === 0 ? [] : [`also without: ${[...poorer].join("; ")}`]),
  ];
}

const reasonLines = (it: Reason): string[] => [
  `${it.code} ${it.clause === "" ? "" : `by ${it.clause} `}${evidenceText(it)}`,
  `  ${it.message}`,
];

const evidenceText = (it: Reason | Proof): string =>
  it.evidence.length === 0 ? "" : `(${it.evidence.map(({ kind, id }) => `${kind} ${id}`).join(", ")})`;

const valueText = (value: string | number | null | readonly string[]): string =>
  (Array.isArray(value) ? value.join(", ") : String(value ?? "")) || "-";

/** The store's own JSON columns; one that does not hold a list is shown as empty. */
function jsonList(text: string): readonly JsonValue[] {
  const value = parseJson(text);
  return Array.isArray(value) ? value : [];
}
