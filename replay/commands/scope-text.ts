import { scopeReport } from "../../instrumentation/scope/scope-report.ts";
import type { ScopeStatus } from "../../instrumentation/scope/scope-status.ts";
import { safeLine } from "../safe-text.ts";

/** A status for people. */
export function scopeText(status: ScopeStatus): string {
  const report = scopeReport(status);
  const scope = report.resolved_scope ?? "none";
  const lines = [
    `${report.state}, ${report.authorized ? "authorised" : `not authorised${because(report.authorization.reason)}`}`,
    `scope    ${scope}, from ${report.resolved_from}${because(report.problem?.detail ?? null)}`,
    ...Object.entries(report.sources).map(
      ([name, { kind, scope: said, problem }]) =>
        `${name.padEnd(8)} ${said ?? kind.replaceAll("_", " ")}${because(problem)}`,
    ),
    `stage    ${report.stage}`,
    ...report.mismatches.map(({ reason, action_required: action, detail }) => `- ${reason} -> ${action}: ${detail}`),
  ];
  return `${lines.map((line) => safeLine(line)).join("\n")}\n`;
}

const because = (reason: string | null): string => (reason === null ? "" : `: ${reason}`);
