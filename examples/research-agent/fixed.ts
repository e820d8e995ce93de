import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { createResearchAgent, type ResearchInput } from "./research.ts";

/** The same agent with the bug mended: the folder is made, and a failing write is no secret. */
const agent = createResearchAgent(async (path, text) => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
});

export default (input: ResearchInput): Promise<string> => agent(input);
