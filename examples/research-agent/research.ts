import { withRun, type ClosedRun } from "../../instrumentation/index.ts";
import { researchContract } from "./contract.ts";
import { readPage, search } from "./library.ts";

export interface ResearchInput {
  readonly topic: string;
}

/** Puts a finished report where it belongs. The broken and the fixed agent differ in nothing else. */
export type WriteReport = (path: string, text: string) => Promise<void>;

export interface ResearchOptions {
  readonly onClosed?: (closed: ClosedRun) => void;
}

/** Searches, reads what it finds, writes a report, and says that it is done. */
export const createResearchAgent =
  (writeReport: WriteReport) =>
  ({ topic }: ResearchInput, options: ResearchOptions = {}): Promise<string> =>
    withRun(
      researchContract,
      async (run) => {
        const hits = await search({ query: topic });
        const pages = await Promise.all(hits.map(({ url }) => readPage({ url })));
        const sections = pages.map((page) => `## ${page.title}\n\n${page.text}\n`);
        await writeReport("out/report.md", `# ${topic}\n\n${sections.join("\n")}`);
        run.claim("done", "report written");
        return `Done! I read ${pages.length} pages and wrote the report on ${topic} to out/report.md.`;
      },
      {
        input: { topic },
        taskId: `research:${topic}`,
        ...(options.onClosed === undefined ? {} : { onClosed: options.onClosed }),
      },
    );
