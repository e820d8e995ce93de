import type { CallRequest } from "../../instrumentation/capture/call-interceptor.ts";
import { callPlace, isBelow } from "../cassette/call-path.ts";
import type { IgnoreRule, Interaction } from "../cassette/cassette.ts";
import { matchKey } from "../cassette/match-key.ts";
import type { Miss, Player, PlayerReport } from "../cassette/player.ts";

/** A player that also says what the cassette would have to be for the strict player to answer alike. */
export interface SettlingPlayer extends Player {
  /** What was answered, in the order it was asked for, each with the path and the arguments it was asked with. */
  settled(): Interaction[];
}

/**
 * Answers a candidate's calls. Taking something out of what an agent is given changes what it asks for: a shorter page
 * goes into the next prompt. Such a call still gets the recorded answer: that of an equal call of its step, else the
 * first one left for its kind, name and step. So arguments follow from the answers, as they do in the agent.
 *
 * A call whose step has no answer left is a miss: a candidate never gets an answer nobody recorded.
 */
export function createSettlingPlayer(
  interactions: readonly Interaction[],
  ignore: readonly IgnoreRule[],
): SettlingPlayer {
  const byStep = Map.groupBy(interactions, stepKey);
  const asked = new Map<Interaction, CallRequest>();
  const misses: Miss[] = [];
  const isUnused = (it: Interaction): boolean => !asked.has(it);
  const unused = (): Interaction[] => {
    const answered = new Set([...asked.keys()].map((it) => it.path));
    return interactions.filter((it) => isUnused(it) && !isBelow(it.path, answered));
  };

  return {
    answer(request) {
      const free = (byStep.get(stepKey(request)) ?? []).filter(isUnused);
      const key = matchKey(request, ignore);
      const equal = free.filter((it) => matchKey(it, ignore) === key);
      const found = at(request, equal) ?? equal[0] ?? at(request, free) ?? free[0];
      if (found === undefined) {
        const miss: Miss = { type: "miss", reason: "unrecorded", request, nearest: null, differences: [] };
        misses.push(miss);
        return miss;
      }
      asked.set(found, request);
      return { type: "hit", interaction: found, moved: found.path !== request.path };
    },
    unused,
    report: (): PlayerReport => ({ hits: asked.size, moved: [], misses: [...misses], unused: unused() }),
    settled: () => [...asked].map(([it, request], index) => ({ ...settledAs(it, request), index })),
  };
}

const at = ({ path }: CallRequest, list: readonly Interaction[]): Interaction | undefined =>
  list.find((it) => it.path === path);

/** Kind and name besides the step: what could be asked there may still be of another kind. */
const stepKey = ({ kind, name, path }: Pick<CallRequest, "kind" | "name" | "path">): string =>
  JSON.stringify([kind, name, callPlace(path).step]);

/** Keys keep the order of the format, so that a fixture made of it reads like every other. */
function settledAs(recorded: Interaction, { path, arguments: args }: CallRequest): Interaction {
  const { arguments: _, ...without } = recorded;
  return args === undefined ? { ...without, path } : { ...recorded, path, arguments: args };
}
