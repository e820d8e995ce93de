import { isAbsolute, join, relative, sep } from "node:path";
import { replayReport } from "../worker/report.ts";
import type { SuiteEntry, SuiteStatus } from "./suite-entry.ts";

const LEVELS: Partial<Record<SuiteStatus, "error" | "warning">> = {
  failed: "error",
  errored: "error",
  no_wall: "error",
  refused: "error",
  inconclusive: "warning",
};

/**
 * One GitHub workflow command for each fixture that did not pass; it shows up at the fixture's notes. `root` is the
 * checkout, which paths are relative to. Texts come from agents and are escaped, so that none can add a command.
 */
export function githubAnnotations(entries: readonly SuiteEntry[], root: string): string {
  return entries
    .flatMap((entry) => {
      const level = LEVELS[entry.status];
      if (level === undefined) return [];
      const file = fileFrom(root, entry.path);
      const title = `${entry.fixtureId}: ${entry.status}`;
      const report = entry.result === null ? entry.explanation : replayReport(entry.result, (_format, plain) => plain);
      return [`::${level} file=${property(file)},title=${property(title)}::${data(report.trimEnd())}\n`];
    })
    .join("");
}

/** One error that is at no place of the checkout. */
export const githubError = (title: string, message: string): string =>
  `::error title=${property(title)}::${data(message)}\n`;

/** A fixture outside the checkout keeps its whole path; GitHub then shows the message without a place. */
function fileFrom(root: string, path: string): string {
  const inside = relative(root, join(path, "notes.json"));
  const file = inside.startsWith("..") || isAbsolute(inside) ? join(path, "notes.json") : inside;
  return file.split(sep).join("/");
}

/** The runner's own escapes (`actions/toolkit`, command.ts). */
const data = (value: string): string => value.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

const property = (value: string): string => data(value).replaceAll(":", "%3A").replaceAll(",", "%2C");

/**
 * Text of ours for the log of a workflow: the runner also obeys `##[…]` in the middle of a line and `::…` at its start,
 * after blanks. What an agent printed must not be obeyed.
 */
export const withoutCommands = (log: string): string =>
  log.replaceAll("##[", "## [").replace(/^([^\S\n]*)::/gm, "$1: :");
