import type { NewestRun } from "../certify/life-cycle-now.ts";
import type { CommandContext } from "./context.ts";
import { withStore } from "./open-store.ts";

/**
 * What agents' newest live runs say, each asked for once. When the store does not answer, `onGone` is told and it is not
 * asked again; without a store, or without a live run of the agent, there is nothing to compare with.
 */
export function newestRunIn(url: string, context: CommandContext, onGone: (error: unknown) => void): NewestRun {
  const known = new Map<string, ReturnType<NewestRun>>();
  let isGone = false;

  async function ask(agent: string): ReturnType<NewestRun> {
    if (isGone) return undefined;
    try {
      const [run] = await withStore(url, context, (store) => store.currentRuns({ agent, type: "live", limit: 1 }));
      if (run === undefined) return undefined;
      const { model, prompt_version, tool_allowlist } = run;
      return { known: true, value: { model, prompt_version, tool_allowlist: [...tool_allowlist] } };
    } catch (error) {
      isGone = true;
      onGone(error);
      return undefined;
    }
  }

  return (agent) => {
    const answer = known.get(agent) ?? ask(agent);
    known.set(agent, answer);
    return answer;
  };
}
