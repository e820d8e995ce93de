import type { ClaimRule, RunContract } from "../../../instrumentation/contract/contract.ts";
import type { ArtifactObservation, RunEvidence, ToolCallEvidence } from "../../../instrumentation/contract/evidence.ts";
import type { ReasonCode } from "../../../instrumentation/contract/reason-codes.ts";
import type { EvidenceRef, Proof, Reason } from "../../../instrumentation/contract/verdict.ts";
import { canonicalJson } from "../../../instrumentation/json/canonical.ts";
import type { JsonValue } from "../../../instrumentation/json/json.ts";
import { valuesAt } from "../../../instrumentation/json/pointer.ts";
import { mayEndAnything } from "../unclear-call.ts";
import { NOTHING_FOUND, type Findings, type Validator } from "../validator.ts";

/**
 * Everything the run took ends as often as it was taken: in its artifact, re-read, or in an explicit release. What was
 * never taken is left alone.
 */
export const claims: Validator = {
  name: "claims",
  validate(evidence, contract) {
    if (contract.claims === undefined || evidence.closing === null) return NOTHING_FOUND;
    const found = contract.claims.map((rule, index) =>
      checkRule({ rule, clause: `/claims/${index}`, evidence, contract }),
    );
    return { reasons: found.flatMap((one) => one.reasons), proofs: found.flatMap((one) => one.proofs) };
  },
};

interface Check {
  readonly rule: ClaimRule;
  readonly clause: string;
  readonly evidence: RunEvidence;
  readonly contract: RunContract;
}

function checkRule(check: Check): Findings {
  const { rule, clause, evidence } = check;
  const takes = successful(evidence, rule.tool);
  const unread = takes.filter((call) => call.result === undefined || !idsIn(call.result, rule.ids).readable);
  if (unread.length > 0) return { reasons: unread.map((call) => unreadable(call, clause)), proofs: [] };
  const taken = Map.groupBy(
    takes.flatMap((call) => idsIn(call.result, rule.ids).ids.map((id) => ({ id, call }))),
    ({ id }) => id,
  );
  const given = releasesOf(check);
  const made = artifactsOf(check);
  const endings = [...taken].map(([id, times]) =>
    endingOf(check, { id, calls: times.map(({ call }) => call), released: given.get(id) ?? [], made: made.get(id) }),
  );
  const strangers = [...new Set([...given.keys(), ...made.keys()])].filter((id) => !taken.has(id));
  const reasons = [
    ...endings.flatMap((one) => one.reasons),
    ...strangers.map((id) => stranger(clause, id, [...(given.get(id) ?? []).map((one) => one.ref), ...refs(made, id)])),
  ];
  const nothing = takes.length > 0 && taken.size === 0 ? [tookNothing(clause, takes)] : [];
  return { reasons, proofs: [...endings.flatMap((one) => one.proofs), ...nothing] };
}

const successful = (evidence: RunEvidence, tool: string): ToolCallEvidence[] =>
  evidence.toolCalls.filter((call) => call.name === tool && call.errorClass === null);

/** Ids are texts or numbers; an empty queue gives none. */
function idsIn(value: JsonValue | undefined, pointer: string): { readonly ids: string[]; readonly readable: boolean } {
  const found = valuesAt(value ?? null, pointer).filter((one) => one !== null && one !== "");
  const ids = found.filter((one) => typeof one === "string" || typeof one === "number").map(String);
  return { ids, readable: ids.length === found.length };
}

interface Release {
  readonly ref: EvidenceRef;
  readonly isExplained: boolean;
}

function releasesOf({ rule, evidence }: Check): Map<string, Release[]> {
  const all = rule.releases.flatMap((release) =>
    successful(evidence, release.tool).flatMap((call) => {
      const told = release.reason === undefined ? ["-"] : valuesAt(call.arguments ?? null, release.reason);
      const isExplained = told.some((text) => typeof text === "string" && text.trim() !== "");
      const ref = { kind: "tool_call", id: call.spanId } as const;
      return idsIn(call.arguments, release.id).ids.map((id) => ({ id, ref, isExplained }));
    }),
  );
  return Map.groupBy(all, ({ id }) => id);
}

/** Recorded artifacts whose names say which item they are of; what the contract itself asks for is no item's. */
function artifactsOf({ rule, evidence, contract }: Check): Map<string, ArtifactObservation[]> {
  if (rule.artifact === undefined) return new Map();
  const [before = "", ...rest] = rule.artifact.split("{id}");
  const after = rest.join("{id}");
  const own = new Set(contract.artifacts.map((one) => one.name));
  const seen = (evidence.closing?.artifacts ?? []).filter(
    ({ name }) =>
      !own.has(name) && name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after),
  );
  const inOrder = seen.toSorted((a, b) => (canonicalJson(jsonOf(a)) < canonicalJson(jsonOf(b)) ? -1 : 1));
  return Map.groupBy(inOrder, ({ name }) => name.slice(before.length, name.length - after.length));
}

const jsonOf = (one: ArtifactObservation): JsonValue => one as unknown as JsonValue;

interface Taken {
  readonly id: string;
  readonly calls: readonly ToolCallEvidence[];
  readonly released: readonly Release[];
  readonly made: readonly ArtifactObservation[] | undefined;
}

function endingOf({ rule, clause, evidence }: Check, { id, calls, released, made = [] }: Taken): Findings {
  const good = made.filter((one) => one.state === "present" && (one.bytes ?? 0) > 0 && !isShared(one, evidence));
  const evidenceOf = [...calls.map(callRef), ...made.map(artifactRef)];
  const unexplained = released.filter((one) => !one.isExplained);
  const reasons = unexplained.map(({ ref }) =>
    reason("release_unexplained", clause, [ref], `"${id}" was released without a reason`),
  );
  if (released.length + (good.length > 0 ? 1 : 0) < calls.length) {
    const unknown = made.find((one) => one.state === "unchecked" || one.state === "unreadable");
    const unclear = evidence.toolCalls.some((call) => isRelease(call, rule) && mayEndAnything(call));
    const code = unknown === undefined && !unclear ? "claim_unresolved" : "evidence_incomplete";
    const text = `"${id}" was taken by ${rule.tool} and has no end: ${whyNot(made, evidence)}, released ${released.length} of ${calls.length} times`;
    return { reasons: [...reasons, reason(code, clause, evidenceOf, text)], proofs: [] };
  }
  const end = good[0] === undefined ? "released" : `ended in ${good[0].ref} bytes=${good[0].bytes}`;
  return { reasons, proofs: [{ clause, evidence: evidenceOf, observed: `${id} ${end}` }] };
}

const isRelease = (call: ToolCallEvidence, rule: ClaimRule): boolean =>
  rule.releases.some(({ tool }) => tool === call.name);

/** One file cannot be what became of two items. */
const isShared = (one: ArtifactObservation, evidence: RunEvidence): boolean =>
  (evidence.closing?.artifacts ?? []).some((other) => other.ref === one.ref && other.name !== one.name);

function whyNot(made: readonly ArtifactObservation[], evidence: RunEvidence): string {
  const [one] = made;
  if (one === undefined) return "no artifact of it was recorded";
  if (one.state !== "present") return `its artifact (${one.ref}) is ${one.state}`;
  if (isShared(one, evidence)) return `its artifact (${one.ref}) is also that of another item`;
  return (one.bytes ?? 0) > 0 ? "one artifact ends it once" : `its artifact (${one.ref}) is empty`;
}

const refs = (made: ReadonlyMap<string, readonly ArtifactObservation[]>, id: string): EvidenceRef[] =>
  (made.get(id) ?? []).map(artifactRef);

const callRef = (call: ToolCallEvidence): EvidenceRef => ({ kind: "tool_call", id: call.spanId });
const artifactRef = (one: ArtifactObservation): EvidenceRef => ({ kind: "artifact", id: one.name });

const stranger = (clause: string, id: string, evidence: readonly EvidenceRef[]): Reason =>
  reason("unclaimed_item", clause, evidence, `"${id}" was ended and had never been taken`);

const unreadable = (call: ToolCallEvidence, clause: string): Reason =>
  reason("evidence_incomplete", clause, [callRef(call)], `what "${call.name}" took cannot be read from its result`);

const tookNothing = (clause: string, takes: readonly ToolCallEvidence[]): Proof => ({
  clause,
  evidence: sorted(takes.map(callRef)),
  observed: `${takes.length} calls found nothing to take`,
});

const reason = (code: ReasonCode, clause: string, evidence: readonly EvidenceRef[], message: string): Reason => ({
  code,
  clause,
  evidence: sorted(evidence),
  message,
});

const sorted = (evidence: readonly EvidenceRef[]): EvidenceRef[] =>
  evidence.toSorted((a, b) => (`${a.kind} ${a.id}` < `${b.kind} ${b.id}` ? -1 : 1));
