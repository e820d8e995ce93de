import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { researchContract, withRun } from "../../../instrumentation/index.ts";
import { readPage, search } from "../../research-agent/library.ts";

interface Source {
  readonly url: string;
  readonly title: string;
  readonly text: string;
}

/** The places where this agent can go wrong without a word. */
export interface ReadingWays {
  readonly saveNote: (path: string, text: string) => Promise<void>;
  readonly saveReport: (path: string, text: string) => Promise<void>;
  readonly sourcesOf: (sources: readonly Source[]) => unknown;
}

export const GOOD_WAYS: ReadingWays = {
  saveNote: save,
  saveReport: save,
  sourcesOf: (sources) => sources.map(({ url, title }) => ({ url, title })),
};

export async function save(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

const contract = researchContract({
  agent: "research-agent",
  report: {
    path: "out/report.json",
    schema: { type: "object", properties: { sources: { type: "array", minItems: 2 } } },
  },
  evidence: { paths: ["notes/1.md", "notes/2.md"] },
  sources: { tool: "read_page", atLeast: 2 },
  tools: ["search", "read_page"],
  limits: { timeoutSeconds: 60, maxSteps: 20 },
});

/** Reads the pages of the library on a topic, keeps a note of each as evidence, and writes a report. Asks no model. */
export const createLibraryReader =
  (ways: ReadingWays) =>
  (input: { readonly topic: string }): Promise<string> =>
    withRun(
      contract,
      async (run) => {
        const sources: Source[] = [];
        for (const { url } of await search({ query: input.topic })) {
          const source = { url, ...(await readPage({ url })) };
          sources.push(source);
          await ways.saveNote(`notes/${sources.length}.md`, `# ${source.title}\n\n${source.text}\n`);
        }
        const report = { topic: input.topic, sources: ways.sourcesOf(sources) };
        await ways.saveReport("out/report.json", JSON.stringify(report));
        run.claim("done", "report written");
        return `I read ${sources.length} pages and wrote the report on ${input.topic}.`;
      },
      { input, taskId: `research:${input.topic}` },
    );
