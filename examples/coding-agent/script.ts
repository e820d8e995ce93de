import type { Script } from "../local-model/script.ts";

const FIRST_TRY = 'export const slug = (title) => title.toLowerCase().replaceAll(" ", "-");\n';
const GOOD = 'export const slug = (title) => title.toLowerCase().match(/[a-z0-9]+/g)?.join("-") ?? "";\n';
const PATH = "src/slug.mjs";

/** Reads, writes, and tests where it may; its first try is wrong when there are tests to show it. */
export const mendScript: Script = ({ results, tools }) => {
  const write = (text: string) => ({ call: [["write_file", { path: PATH, text }]] as const });
  const tests = { call: [["run_tests", {}]] as const };
  if (!tools.includes("run_tests")) {
    if (results.length === 0) return { call: [["read_file", { path: PATH }]] };
    return results.length === 1 ? write(GOOD) : { say: "Solved: slug() is mended and all tests pass." };
  }
  const steps = [{ call: [["read_file", { path: PATH }]] as const }, write(FIRST_TRY), tests, write(GOOD), tests];
  return steps[results.length] ?? { say: "Solved: slug() is mended and all tests pass." };
};
