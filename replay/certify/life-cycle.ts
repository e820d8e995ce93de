import type { Certificate } from "../fixture/certificate-format.ts";
import type { FixtureNotes } from "../fixture/fixture-format.ts";
import type { Fingerprints } from "./fingerprints.ts";

export type LifeCycleState = FixtureNotes["state"];

/** What a fixture is now, and why. */
export interface LifeCycle {
  readonly state: LifeCycleState;
  /** In sentences; empty when there is nothing to say beyond the state. */
  readonly reasons: readonly string[];
}

/** A fingerprint as it is now: the value, or why nobody knows. */
export type Current<Value> =
  | { readonly known: true; readonly value: Value }
  | { readonly known: false; readonly why: string };

export interface LifeCycleFacts {
  /** Of the fixture as it lies there. */
  readonly contentSha256: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly maxAgeDays: number;
  /** Why the certificate's commits cannot be what it says they are; empty when they are, or nobody can tell. */
  readonly commitProblems: readonly string[];
  readonly code: Current<Fingerprints["code"]>;
  /** Of the agent's newest live run; absent when nobody looked. */
  readonly newestRun?: Current<Omit<Fingerprints, "code">>;
}

export const DEFAULT_MAX_AGE_DAYS = 90;

const DAY_MILLIS = 86_400_000;

/**
 * The state of a fixture now. What its file says is a claim: the proof decides, and only as long as it is about this very
 * content. A proven fixture is stale when what it was proven with has moved, or when nobody can tell (spec B8, C4). Pure.
 */
export function lifeCycleOf(
  notes: Pick<FixtureNotes, "state" | "certification" | "retirement">,
  facts: LifeCycleFacts,
): LifeCycle {
  if (notes.retirement !== undefined) return { state: "retired", reasons: [notes.retirement.reason] };
  if (notes.state === "retired") return { state: "retired", reasons: ["no reason is given"] };
  const { certification } = notes;
  if (certification === null) {
    const claim = `its file says ${notes.state}, without a proof`;
    return { state: "candidate", reasons: notes.state === "candidate" ? [] : [claim] };
  }
  if (certification.fixture_sha256 !== facts.contentSha256) {
    return {
      state: "candidate",
      reasons: ["the fixture was changed after it was certified; the proof is of another content"],
    };
  }
  if (certification.result === "flaky") return { state: "flaky", reasons: [flakyReason(certification)] };
  const unbelieved = [...contradictionsOf(certification, facts.now), ...facts.commitProblems];
  if (unbelieved.length > 0) return { state: "candidate", reasons: unbelieved };
  const reasons = staleReasons(certification, facts);
  return { state: reasons.length === 0 ? "certified" : "stale", reasons };
}

/** What a certificate that we wrote would not say. */
function contradictionsOf({ broken, fixed, fingerprints, certified_at }: Certificate, now: number): string[] {
  const problems: string[] = [];
  if (!isOnly(broken, "reproduced")) problems.push("the proof does not say that the broken code failed each time");
  if (!isOnly(fixed, "fixed")) problems.push("the proof does not say that the fixed code passed each time");
  if (broken.blob_hash === fixed.blob_hash && broken.tree_hash === fixed.tree_hash && broken.commit === fixed.commit) {
    problems.push("the proof names the same code as broken and as fixed");
  }
  if (fingerprints.code.tree_hash !== fixed.tree_hash || fingerprints.code.module !== fixed.module) {
    problems.push("the proof's fingerprints are not those of its fixed code");
  }
  if (Date.parse(certified_at) > now + DAY_MILLIS) problems.push("the proof is dated in the future");
  return problems;
}

const isOnly = (side: Certificate["broken"], outcome: string): boolean =>
  Object.entries(side.outcomes).every(([name, count]) => count === (name === outcome ? side.runs : 0)) &&
  Object.hasOwn(side.outcomes, outcome);

function staleReasons({ fingerprints, certified_at }: Certificate, facts: LifeCycleFacts): string[] {
  const days = Math.floor((facts.now - Date.parse(certified_at)) / DAY_MILLIS);
  const age = days > facts.maxAgeDays ? [`certified ${days} days ago; at most ${facts.maxAgeDays} are good`] : [];
  return [...age, ...codeReasons(fingerprints.code, facts.code), ...runReasons(fingerprints, facts.newestRun)];
}

function codeReasons(then: Fingerprints["code"], now: LifeCycleFacts["code"]): string[] {
  if (!now.known) return [now.why];
  if (then.tree_hash === now.value.tree_hash) return [];
  const what = then.blob_hash === now.value.blob_hash ? "files beside the agent's module" : "the agent's module";
  return [`the code moved: ${what} ${then.module} changed since`];
}

function runReasons(then: Fingerprints, now: LifeCycleFacts["newestRun"]): string[] {
  if (now === undefined) return [];
  if (!now.known) return [now.why];
  const { model, prompt_version: prompt, tool_allowlist: tools } = now.value;
  const moved = (name: string, before: string, after: string): string[] =>
    before === after ? [] : [`the ${name} moved: ${before || "none"}, now ${after || "none"}`];
  return [
    ...moved("prompt version", then.prompt_version, prompt),
    ...moved("model", then.model, model),
    ...moved("tool allow-list", [...then.tool_allowlist].sort().join(", "), [...tools].sort().join(", ")),
  ];
}

function flakyReason({ broken, fixed }: { broken: Certificate["broken"]; fixed: Certificate["fixed"] | null }): string {
  const told = (name: string, side: Certificate["broken"] | null): string[] => {
    const counts = Object.entries(side?.outcomes ?? {}).map(([outcome, count]) => `${count} ${outcome}`);
    return counts.length === 0 ? [] : [`${name}: ${counts.join(", ")}`];
  };
  return `replays of the same code differ (${[...told("broken", broken), ...told("fixed", fixed)].join("; ")})`;
}
