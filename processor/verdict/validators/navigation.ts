import type { NavigationRule } from "../../../instrumentation/contract/contract.ts";
import type { RunEvidence, ToolCallEvidence } from "../../../instrumentation/contract/evidence.ts";
import { originOf } from "../../../instrumentation/contract/origin.ts";
import type { ReasonCode } from "../../../instrumentation/contract/reason-codes.ts";
import type { Proof, Reason } from "../../../instrumentation/contract/verdict.ts";
import { valuesAt } from "../../../instrumentation/json/pointer.ts";
import { recordedToolCalls } from "../recorded-tool-calls.ts";
import { isUnseen, mayEndAnything } from "../unclear-call.ts";
import { NOTHING_FOUND, type Validator } from "../validator.ts";

/** The run went only where it may go, while its lease held, and gave every lease back. */
export const navigation: Validator = {
  name: "navigation",
  validate(evidence, contract) {
    const rule = contract.navigation;
    if (rule === undefined) return NOTHING_FOUND;
    const leases = leasesOf(rule, evidence);
    const visits = visitsOf(rule, evidence);
    const reasons = [
      ...visits.flatMap((visit) => visitReasons(visit, rule, leases)),
      ...leases.flatMap((lease) => leaseReasons(lease, evidence)),
    ];
    return { reasons, proofs: ledgerProof(evidence, visits, leases) };
  },
};

interface Lease {
  readonly call: ToolCallEvidence;
  readonly id: string | undefined;
  readonly origins: ReadonlySet<string>;
  /** When it was first given back. */
  readonly released: ToolCallEvidence | undefined;
  /** Some call may have given it back, and cannot be read. */
  readonly isUnclear: boolean;
}

function leasesOf({ lease }: NavigationRule, evidence: RunEvidence): Lease[] {
  if (lease === undefined) return [];
  const releases = successful(evidence, lease.release.tool).toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
  const isUnclear = evidence.toolCalls.some((call) => call.name === lease.release.tool && mayEndAnything(call));
  return successful(evidence, lease.tool).map((call) => {
    const [id] = textsAt(call, "result", lease.id);
    const origins = textsAt(call, "result", lease.origins).map((text) => originOf(text) ?? "");
    const released = releases.find((one) => id !== undefined && textsAt(one, "arguments", lease.release.id)[0] === id);
    return { call, id, origins: new Set(origins), released, isUnclear };
  });
}

interface Visit {
  readonly call: ToolCallEvidence;
  readonly clause: string;
  readonly urls: readonly string[];
  /** False when where it went was not captured. */
  readonly isReadable: boolean;
}

/** A visit that failed may have reached the place all the same, unless the tool itself refused to go. */
function visitsOf(rule: NavigationRule, evidence: RunEvidence): Visit[] {
  return rule.visits.flatMap(({ tool, asked, landed }, index) =>
    evidence.toolCalls
      .filter((call) => call.name === tool && call.errorClass !== "permission_denied")
      .map((call): Visit => {
        const from = asked === undefined ? [] : textsAt(call, "arguments", asked);
        const to = landed === undefined || call.errorClass !== null ? [] : textsAt(call, "result", landed);
        const told = [asked === undefined ? undefined : from, landed === undefined ? undefined : to];
        if (isUnseen(call)) return { call, clause: `/navigation/visits/${index}`, urls: [], isReadable: false };
        const isReadable = call.errorClass !== null || told.every((urls) => urls === undefined || urls.length > 0);
        return { call, clause: `/navigation/visits/${index}`, urls: [...new Set([...from, ...to])], isReadable };
      }),
  );
}

function visitReasons(
  { call, clause, urls, isReadable }: Visit,
  rule: NavigationRule,
  leases: readonly Lease[],
): Reason[] {
  const unread = reason("evidence_incomplete", clause, call, `where "${call.name}" went was not captured`);
  const open = leases.filter((one) => !isBefore(call, one.call) && !isBefore(one.released, call));
  const mayGo = (origin: string): boolean =>
    rule.origins.includes(origin) || open.some((lease) => lease.origins.has(origin));
  const outside = urls.flatMap((url) => {
    const place = placeOf(url, call);
    return place === undefined || mayGo(place) ? [] : [place];
  });
  return [
    ...(isReadable ? [] : [unread]),
    ...[...new Set(outside)].map((place) =>
      reason("origin_not_leased", clause, call, `"${call.name}" went to ${place}, ${whyNot(place, leases)}`),
    ),
  ];
}

/** The origin of a URL. An empty page is nowhere, and so is what is no URL, unless the call says that it got there. */
function placeOf(url: string, { errorClass }: ToolCallEvidence): string | undefined {
  if (url === "about:blank") return undefined;
  return originOf(url) ?? (errorClass === null ? `"${url.slice(0, 100)}" (no URL)` : undefined);
}

const whyNot = (place: string, leases: readonly Lease[]): string =>
  leases.some((lease) => lease.origins.has(place)) ? "whose lease did not hold then" : "which was not leased";

function leaseReasons({ call, id, released, isUnclear }: Lease, evidence: RunEvidence): Reason[] {
  const clause = "/navigation/lease";
  if (id === undefined) return [reason("evidence_incomplete", clause, call, "the lease has no id that can be read")];
  if (released !== undefined || evidence.closing === null) return [];
  if (isUnclear) return [reason("evidence_incomplete", clause, call, `whether "${id}" was released cannot be told`)];
  return [reason("lease_not_released", clause, call, `the lease "${id}" was never released`)];
}

/** With the complete list of calls at hand, "it went nowhere else" is itself an observation. */
function ledgerProof(evidence: RunEvidence, visits: readonly Visit[], leases: readonly Lease[]): Proof[] {
  const made = evidence.closing?.toolCallCount;
  if (made === undefined || recordedToolCalls(evidence) < made || visits.length === 0) return [];
  const observed = `complete ledger of ${visits.length} visits under ${leases.length} leases`;
  return [{ clause: "/navigation", evidence: [{ kind: "run", id: evidence.runId }], observed }];
}

const successful = (evidence: RunEvidence, tool: string): ToolCallEvidence[] =>
  evidence.toolCalls.filter((call) => call.name === tool && call.errorClass === null);

const textsAt = (call: ToolCallEvidence, field: "arguments" | "result", pointer: string): string[] =>
  valuesAt(call[field] ?? null, pointer)
    .filter((one) => typeof one === "string" || typeof one === "number")
    .map(String);

/** Decimal nanosecond texts of one length compare as numbers; a shorter one is earlier. Absent: never. */
function isBefore(a: ToolCallEvidence | undefined, b: ToolCallEvidence): boolean {
  if (a === undefined) return false;
  const [left, right] = [a.startUnixNano, b.startUnixNano];
  return left.length === right.length ? left < right : left.length < right.length;
}

const reason = (code: ReasonCode, clause: string, call: ToolCallEvidence, message: string): Reason => ({
  code,
  clause,
  evidence: [{ kind: "tool_call", id: call.spanId }],
  message,
});
