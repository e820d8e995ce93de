import type { CallRequest } from "../../instrumentation/capture/call-interceptor.ts";
import { canonicalJson } from "../../instrumentation/json/canonical.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import { createMessageAnswers } from "./answer-from-messages.ts";
import { callPlace, isBelow } from "./call-path.ts";
import type { Cassette, IgnoreRule, Interaction } from "./cassette.ts";

import { matchKey } from "./match-key.ts";
import { type CallDifference, nearestRecording } from "./nearest.ts";

/**
 * Why a call has no answer.
 * - `unrecorded`: no call like it was recorded. - `used_up`: it was, but fewer times.
 * - `ambiguous`: several recordings of other steps fit and answer differently; choosing would be guessing.
 */
export type MissReason = "unrecorded" | "used_up" | "ambiguous";

export interface Miss {
  readonly type: "miss";
  readonly reason: MissReason;
  readonly request: CallRequest;
  /** The recording most like it, or `null` when nothing was recorded at all. */
  readonly nearest: Interaction | null;
  readonly differences: readonly CallDifference[];
}

export interface Hit {
  readonly type: "hit";
  readonly interaction: Interaction;
  /** The call was made at another place of the run than when it was recorded. */
  readonly moved: boolean;
}

export interface PlayerReport {
  readonly hits: number;
  readonly moved: readonly { readonly index: number; readonly from: string; readonly to: string }[];
  readonly misses: readonly Miss[];
  /** Without those that are covered: what was made below a call that was answered itself. */
  readonly unused: readonly Interaction[];
}

/** Answers calls from a cassette. Holds which recordings are used up; one player serves one replay. */
export interface Player {
  /** Never throws and never answers twice from the same recording. */
  answer(request: CallRequest): Hit | Miss;
  unused(): readonly Interaction[];
  report(): PlayerReport;
}

/**
 * Matching order, for a call and the unused recordings with its match key (kind, name, arguments):
 *
 * 1. A recording at the same call path; several of them in start order. So identical calls made in parallel get
 *    their own answers, in whatever order they arrive.
 * 2. A recording of the same step with another ordinal, lowest first: the code now makes fewer or reordered calls.
 * 3. A recording of another step, when there is one, or when all of them answer alike. Otherwise `ambiguous`.
 *
 * A request to a model that none of them fits is answered from a recorded conversation, where there is one of its messages.
 *
 * A recording whose own path is certain to be asked is never given away by 2 and 3: ordinals are handed out in
 * sequence, so `search#2` having been asked means that `search#0` is on its way.
 */
export function createPlayer(
  cassette: Pick<Cassette, "interactions" | "ignore">,
  options: { readonly ignore?: readonly IgnoreRule[] } = {},
): Player {
  const ignore = [...cassette.ignore, ...(options.ignore ?? [])];
  const byKey = Map.groupBy(inStartOrder(cassette.interactions), (it) => matchKey(it, ignore));
  const fromMessages = createMessageAnswers(inStartOrder(cassette.interactions));
  const used = new Set<Interaction>();
  const asked = createAskedPaths();
  const moved: PlayerReport["moved"][number][] = [];
  const misses: Miss[] = [];

  const isUnused = (it: Interaction): boolean => !used.has(it);
  const unused = (): readonly Interaction[] => {
    const answered = new Set([...used].map((it) => it.path));
    return cassette.interactions.filter((it) => isUnused(it) && !isBelow(it.path, answered));
  };

  function answer(request: CallRequest): Hit | Miss {
    asked.add(request.path);
    const recorded = byKey.get(matchKey(request, ignore)) ?? [];
    const free = recorded.filter(isUnused);
    const found = choose(request.path, free, asked);
    if (found === undefined || found === "ambiguous") {
      const told = fromMessages.answer(request, isUnused);
      if (told !== undefined) {
        used.add(told.recording);
        return { type: "hit", interaction: told.interaction, moved: false };
      }
      const reason = found ?? (recorded.length > 0 ? "used_up" : "unrecorded");
      return miss(request, reason, free);
    }
    used.add(found);
    const isMoved = found.path !== request.path;
    if (isMoved) moved.push({ index: found.index, from: found.path, to: request.path });
    return { type: "hit", interaction: found, moved: isMoved };
  }

  function miss(request: CallRequest, reason: MissReason, free: readonly Interaction[]): Miss {
    const nearest = nearestRecording(request, free.length > 0 ? free : cassette.interactions, ignore);
    const result: Miss = {
      type: "miss",
      reason,
      request,
      nearest: nearest?.interaction ?? null,
      differences: nearest?.differences ?? [],
    };
    misses.push(result);
    return result;
  }

  return {
    answer,
    unused,
    report: () => ({ hits: used.size, moved: [...moved], misses: [...misses], unused: unused() }),
  };
}

function choose(path: string, free: readonly Interaction[], asked: AskedPaths): Interaction | "ambiguous" | undefined {
  const samePath = free.find((it) => it.path === path);
  if (samePath !== undefined) return samePath;
  const elsewhere = free.filter((it) => !asked.isOnItsWay(it.path));
  const { step } = callPlace(path);
  const sameStep = elsewhere
    .filter((it) => callPlace(it.path).step === step)
    .sort((a, b) => callPlace(a.path).ordinal - callPlace(b.path).ordinal);
  if (sameStep[0] !== undefined) return sameStep[0];
  return new Set(elsewhere.map(answerText)).size > 1 ? "ambiguous" : elsewhere[0];
}

/** Which call paths were asked, and which must still be asked because a later ordinal of their step was. */
interface AskedPaths {
  add(path: string): void;
  isOnItsWay(path: string): boolean;
}

function createAskedPaths(): AskedPaths {
  const paths = new Set<string>();
  const highest = new Map<string, number>();
  return {
    add(path) {
      const { step, ordinal } = callPlace(path);
      paths.add(path);
      highest.set(step, Math.max(ordinal, highest.get(step) ?? -1));
    },
    isOnItsWay(path) {
      const { step, ordinal } = callPlace(path);
      return !paths.has(path) && ordinal < (highest.get(step) ?? -1);
    },
  };
}

const answerText = (it: Interaction): string =>
  canonicalJson(it.outcome === "returned" ? { result: it.result } : ({ error: it.error } as JsonValue));

const inStartOrder = (interactions: readonly Interaction[]): readonly Interaction[] =>
  [...interactions].sort((a, b) => a.index - b.index);
