import { expect } from "vitest";
import { recordWork, replayWork } from "./record-and-replay.ts";
import type { ScenarioServer } from "./scenario-server.ts";

/** Records, replays, and holds that the agent saw the same, that all of it was used, and that the server saw nothing. */
export async function sameTwice<Result>(
  server: Pick<ScenarioServer, "requests">,
  work: () => Promise<Result>,
): Promise<Result> {
  const recorded = await recordWork(work, { capture: "full" });
  const before = server.requests.length;
  const replayed = await replayWork(work, recorded.calls);
  expect(replayed.result).toEqual(recorded.result);
  expect(server.requests.length).toBe(before);
  // The replayed run is judged by its own record, so that has to say the same.
  const told = ({ calls }: Pick<typeof recorded, "calls">): unknown =>
    calls.map(({ path, result, errorClass }) => ({ path, result, errorClass })).toSorted(byPath);
  expect(told(replayed)).toEqual(told(recorded));
  expect(replayed.report).toMatchObject({ misses: [], unused: [], moved: [] });
  return replayed.result;
}

const byPath = (a: { readonly path: string }, b: { readonly path: string }): number => (a.path < b.path ? -1 : 1);
