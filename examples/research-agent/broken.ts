import { writeFile } from "node:fs/promises";
import { createResearchAgent, type ResearchInput } from "./research.ts";

/**
 * The planted silent failure, a common one: nobody made the folder, the write fails, and a `catch` that was meant to keep
 * the agent going keeps it quiet. The process ends with 0 and the answer reads well.
 */
const agent = createResearchAgent(async (path, text) => {
  try {
    await writeFile(path, text);
  } catch {
    // "Best effort": exactly the line that loses the work.
  }
});

export default (input: ResearchInput): Promise<string> => agent(input);
