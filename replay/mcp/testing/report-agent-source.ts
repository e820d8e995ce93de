const INSTRUMENTATION = new URL("../../../instrumentation/index.ts", import.meta.url).href;

/** What an agent's author, its tools or the web may have put into a trace. */
export interface AgentTexts {
  readonly agent: string;
  /** What its tool finds. */
  readonly finding: string;
  /** Path of the report it promises. */
  readonly report: string;
}

/**
 * The source of an agent that searches twice and writes a report into a folder that nobody made. The broken one swallows
 * the error and says that all is done; the mended one makes the folder.
 */
export const reportAgentSource = (texts: AgentTexts, variant: "broken" | "mended"): string => `
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { defineContract, withRun, wrapTool } from ${JSON.stringify(INSTRUMENTATION)};

const REPORT = ${JSON.stringify(texts.report)};
const contract = defineContract({
  agent: ${JSON.stringify(texts.agent)},
  artifacts: [{ name: "report", path: REPORT }],
  tools: { allowed: ["search"] },
  limits: { timeoutSeconds: 60 },
});

const search = wrapTool({ name: "search", sideEffect: "read" }, async ({ query }) => {
  if (process.env.REPORT_AGENT_WORLD !== "1") throw new Error("the real tool was called in a replay");
  return { query, found: ${JSON.stringify(texts.finding)}, pages: ["one", "two", "three"] };
});

async function save(text) {
${variant === "broken" ? "  try { await writeFile(REPORT, text); } catch { /* best effort */ }" : "  await mkdir(dirname(REPORT), { recursive: true });\n  await writeFile(REPORT, text);"}
}

export default (input) =>
  withRun(
    contract,
    async (run) => {
      const first = await search({ query: input.topic });
      const second = await search({ query: input.topic + ", in detail" });
      await save([first, second].map(({ found }) => found).join("\\n"));
      run.claim("done", "the report is written");
      return "I wrote the report.";
    },
    { input, taskId: "report:" + input.topic },
  );
`;
