import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { researchContract, withRun } from "../../instrumentation/index.ts";
import { type AgentTool, converse, type ModelPlace } from "../local-model/converse.ts";
import { type RunPlace, runOptions } from "../scenarios/run-place.ts";
import { readPage, search } from "./library.ts";

export interface ResearchTask {
  readonly topic: string;
  readonly model: ModelPlace;
}

export interface Source {
  readonly url: string;
  readonly title: string;
  readonly text: string;
}

/** The places where this agent can go wrong without a word. */
export interface ResearchWays {
  readonly saveNote: (path: string, source: Source) => Promise<void>;
  readonly saveReport: (path: string, report: object) => Promise<void>;
  readonly sourcesOf: (sources: readonly Source[]) => unknown;
  readonly stream: boolean;
}

export const GOOD_WAYS: ResearchWays = {
  saveNote: (path, { title, url, text }) => save(path, `# ${title}\n\n${url}\n\n${text}\n`),
  saveReport: (path, report) => save(path, JSON.stringify(report, null, 2)),
  sourcesOf: (sources) => sources.map(({ url, title }) => ({ url, title })),
  stream: false,
};

export async function save(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

const REPORT_SCHEMA = {
  type: "object",
  required: ["topic", "summary", "sources"],
  properties: {
    topic: { type: "string" },
    summary: { type: "string", minLength: 40 },
    sources: {
      type: "array",
      minItems: 2,
      items: { type: "object", required: ["url", "title"], properties: { url: { type: "string" } } },
    },
  },
} as const;

const contract = researchContract({
  agent: "research-agent",
  report: { path: "out/report.json", schema: REPORT_SCHEMA },
  evidence: { paths: ["notes/1.md", "notes/2.md", "notes/3.md"], atLeast: 2 },
  sources: { tool: "read_page", atLeast: 2 },
  tools: ["search", "read_page"],
  limits: { timeoutSeconds: 120, maxSteps: 40 },
});

/** Has a model search and read, keeps a note of each page as evidence, and writes what the model makes of them. */
export const createResearcher =
  (ways: ResearchWays) =>
  (input: ResearchTask, place: RunPlace = {}): Promise<string> =>
    withRun(
      contract,
      async (run) => {
        const at = (path: string): string => join(place.folder ?? ".", path);
        const sources: Source[] = [];
        const summary = await converse({
          model: input.model,
          system: "You research. Search, read at least two of the pages you find, then answer with a summary of them.",
          task: `Summarise what the library knows about: ${input.topic}`,
          tools: toolsFor((source) => sources.push(source)),
          stream: ways.stream,
        });
        for (const [index, source] of sources.slice(0, 3).entries()) {
          await ways.saveNote(at(`notes/${index + 1}.md`), source);
        }
        await ways.saveReport(at("out/report.json"), {
          topic: input.topic,
          summary,
          sources: ways.sourcesOf(sources),
        });
        run.claim("done", "report written");
        return `I read ${sources.length} pages and wrote the report on ${input.topic} to out/report.json.`;
      },
      { input, taskId: `research:${input.topic}`, model: input.model.name, ...runOptions(place) },
    );

const toolsFor = (found: (source: Source) => void): readonly AgentTool[] => [
  {
    name: "search",
    description: "Finds pages of the library by a word.",
    parameters: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
    run: (args: { query: string }, options) => search(args, options),
  },
  {
    name: "read_page",
    description: "Reads a page of the library.",
    parameters: { type: "object", properties: { url: { type: "string" } }, required: ["url"] },
    run: async (args: { url: string }, options) => {
      const page = await readPage(args, options);
      found({ url: args.url, ...page });
      return page;
    },
  },
];
