import type { CallRequest } from "../../instrumentation/capture/call-interceptor.ts";
import type { ClosingEvidence } from "../../instrumentation/contract/evidence.ts";
import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import { canonicalJson, sha256Hex } from "../../instrumentation/json/canonical.ts";
import type { JsonObject, JsonValue } from "../../instrumentation/json/json.ts";
import type { Hit, Miss, Player } from "../cassette/player.ts";

/** One call as the agent made it, and what it was told. */
export interface AskedCall {
  readonly request: CallRequest;
  readonly answer: Hit | Miss;
}

/** A player that keeps what was asked, in the order in which it was. */
export function transcribedPlayer(player: Player): { readonly player: Player; readonly asked: readonly AskedCall[] } {
  const asked: AskedCall[] = [];
  const answer = (request: CallRequest): Hit | Miss => {
    const given = player.answer(request);
    asked.push({ request, answer: given });
    return given;
  };
  return { player: { ...player, answer }, asked };
}

export interface TranscriptParts {
  readonly asked: readonly AskedCall[];
  /** `null` when nothing was judged. */
  readonly verdict: Verdict | null;
  readonly closing: ClosingEvidence | null;
  /** Texts that are new in each replay, wherever they turn up: the ids of its runs, its folder. */
  readonly volatile: readonly string[];
}

/**
 * Identity of what a replay did: every call with its answer, the verdict, and what the probes found. Two replays have
 * the same one if, and only if, the agent asked for the same, was told the same and left the same behind. Pure. Order of
 * arrival, ids, paths of the machine and times are no part of it.
 */
export function transcriptSha256({ asked, verdict, closing, volatile }: TranscriptParts): string {
  const scrub = scrubber(volatile);
  // Scrubbed before they are sorted: else the order would hang on an id.
  const inOrder: InOrder = (items) => items.map((item) => scrub(canonicalJson(item))).sort();
  const parts = {
    calls: inOrder(asked.map(callOf)),
    verdict: verdict && verdictOf(verdict, inOrder),
    closing: closing && closingOf(closing, inOrder),
  };
  return sha256Hex(scrub(canonicalJson(parts)));
}

type InOrder = (items: readonly JsonValue[]) => readonly string[];

function scrubber(volatile: readonly string[]): (text: string) => string {
  // Longest first: the folder of a replay may hold one of its ids. As they are spelled inside JSON.
  const texts = [...new Set(volatile)].filter(Boolean).sort((a, b) => b.length - a.length);
  const spelled = texts.map((text) => JSON.stringify(text).slice(1, -1));
  return (text) => spelled.reduce((kept, one) => kept.replaceAll(one, "<of this replay>"), text);
}

/** At the path it was recorded at: code that asks in another order is told the same by the same recordings. */
function callOf({ request, answer }: AskedCall): JsonObject {
  const { kind, name, arguments: args } = request;
  const path = answer.type === "hit" ? answer.interaction.path : request.path;
  return { path, kind, name, ...(args === undefined ? {} : { arguments: args }), answer: answerOf(answer) };
}

function answerOf(answer: Hit | Miss): JsonObject {
  if (answer.type === "miss") return { missed: answer.reason };
  const { interaction } = answer;
  if (interaction.outcome === "returned") return { returned: interaction.result };
  return { threw: interaction.error as unknown as JsonObject };
}

/** Without the messages: they tell ids and how long things took. */
const verdictOf = ({ status, failureClass, reasons, proofs }: Verdict, inOrder: InOrder): JsonObject => ({
  status,
  failure_class: failureClass,
  reasons: inOrder(reasons.map(({ code, clause }) => ({ code, clause }))),
  proofs: inOrder(proofs.map(({ clause }) => clause)),
});

const closingOf = (closing: ClosingEvidence, inOrder: InOrder): JsonObject => ({
  answer: closing.answer,
  claim: closing.claim as unknown as JsonValue,
  error: closing.error as unknown as JsonValue,
  artifacts: inOrder(
    closing.artifacts.map(({ name, kind, ref, state, bytes, sha256 }) => ({ name, kind, ref, state, bytes, sha256 })),
  ),
  paths: inOrder(closing.paths as unknown as readonly JsonValue[]),
  changed_paths: closing.changedPaths && inOrder(closing.changedPaths),
  state: closing.state as unknown as JsonValue,
  verification: closing.verification && {
    exit_code: closing.verification.exitCode,
    timed_out: closing.verification.timedOut,
  },
});
