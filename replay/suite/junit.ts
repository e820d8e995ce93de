import { replayReport } from "../worker/report.ts";
import type { SuiteEntry, SuiteStatus } from "./suite-entry.ts";

/**
 * A suite as JUnit XML, the dialect that CI servers read: one `testcase` a fixture, `failure` for findings and for what is
 * inconclusive, `error` for what could not be run. Texts come from agents: they are escaped, and characters that XML 1.0
 * cannot hold are replaced.
 */
export function junitXml(entries: readonly SuiteEntry[], suite: { readonly name: string }): string {
  const seconds = (millis: number): string => (millis / 1_000).toFixed(3);
  const total = entries.reduce((sum, entry) => sum + entry.durationMillis, 0);
  const count = (kind: Kind): number => entries.filter((entry) => KINDS[entry.status] === kind).length;
  const counts = `tests="${entries.length}" failures="${count("failure")}" errors="${count("error")}" skipped="${count("skipped")}" time="${seconds(total)}"`;
  const cases = entries.map((entry) => {
    const head = `    <testcase classname="${attribute(entry.agentName || "unknown")}" name="${attribute(entry.fixtureId)}" file="${attribute(entry.path)}" time="${seconds(entry.durationMillis)}"`;
    const body = bodyOf(entry);
    return body === "" ? `${head}/>` : `${head}>\n${body}    </testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="runproof" ${counts}>`,
    `  <testsuite name="${attribute(suite.name)}" ${counts}>`,
    ...cases,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

type Kind = "failure" | "error" | "skipped" | "none";

const KINDS: Record<SuiteStatus, Kind> = {
  passed: "none",
  failed: "failure",
  inconclusive: "failure",
  errored: "error",
  no_wall: "error",
  refused: "error",
  skipped: "skipped",
};

function bodyOf(entry: SuiteEntry): string {
  const kind = KINDS[entry.status];
  const message = attribute(entry.explanation);
  if (kind === "none") return "";
  if (kind === "skipped") return `      <skipped message="${message}"/>\n`;
  const report = entry.result === null ? entry.explanation : replayReport(entry.result, (_format, plain) => plain);
  return `      <${kind} type="${entry.status}" message="${message}">${text(report)}</${kind}>\n`;
}

// Everything XML 1.0 does not allow: control characters but tab and line ends, lone surrogates, the two non-characters.
// oxlint-disable-next-line no-control-regex -- control characters are what this finds
const NO_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

const text = (value: string): string =>
  value
    .toWellFormed()
    .replace(NO_XML, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    // `]]>` may not stand in text.
    .replaceAll(">", "&gt;")
    .replaceAll("\r", "&#13;");

/** A reader turns bare line ends and tabs of an attribute into blanks. */
const attribute = (value: string): string =>
  text(value).replaceAll('"', "&quot;").replaceAll("\n", "&#10;").replaceAll("\t", "&#9;");
