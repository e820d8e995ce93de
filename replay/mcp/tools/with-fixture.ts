import type { ToolAnswer } from "../answer/envelope.ts";
import { fixturePlace, fixturesRoot } from "../fixture-place.ts";
import type { ToolCall } from "../tool.ts";

/** Calls `work` with the folder of a fixture that is named by its id. */
export async function withFixture(
  id: string,
  { context }: ToolCall,
  work: (path: string) => Promise<ToolAnswer>,
): Promise<ToolAnswer> {
  const place = await fixturePlace(await fixturesRoot(context.cwd), id);
  if (place.ok) return await work(place.path);
  return { outcome: "refused", data: { problems: [place.reason] }, advice: ["list_fixtures names the fixtures."] };
}
