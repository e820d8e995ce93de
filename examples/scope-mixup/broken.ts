import { createEditor } from "./editor.ts";

/**
 * The planted silent failure: two places with a precedence of their own. The writer honours the caller's override; the
 * reader was written for the nightly job, which has none, and takes what the cloud says. So staging gets the price that
 * production has, raised, and everybody is told that it went well.
 */
export default createEditor(async ({ item, percent }, { input, around, catalogue }) => {
  const writeProject = input.project || around.local || around.cloud || "staging";
  const readProject = around.cloud ?? around.local ?? "staging";
  const before = await catalogue.price(readProject, item);
  const after = Math.round(before * (1 + percent / 100));
  await catalogue.setPrice(writeProject, item, after);
  return { project: writeProject, before, after };
});
