/**
 * A research agent of the tests, before and after its fix. The broken one searches and claims to be done; the fixed
 * one writes the report. Both call tools that would fail outside a recording.
 */
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { defineContract, type Run, withRun, wrapTool } from "../../../instrumentation/index.ts";

const contract = defineContract({
  agent: "report-agent",
  artifacts: [{ name: "report", path: "report.md" }],
  tools: { allowed: ["search", "fetch_page"] },
  limits: { timeoutSeconds: 20 },
});

/** The world, which exists while recording only. */
const world = (): void => {
  if (process.env["REPORT_AGENT_WORLD"] !== "1") throw new Error("the real tool was called");
};

const search = wrapTool({ name: "search", sideEffect: "read" }, ({ query }: { query: string }) => {
  world();
  return { pages: [`${query}/1`, `${query}/2`, `${query}/3`] };
});

const fetchPage = wrapTool({ name: "fetch_page", sideEffect: "read" }, async ({ page }: { page: string }) => {
  world();
  if (page.endsWith("/3")) throw Object.assign(new Error("connect refused"), { code: "ECONNREFUSED" });
  return `text of ${page}`;
});

interface Task {
  readonly topic: string;
}

type Work = (run: Run, task: Task) => Promise<string>;

const work =
  (does: Work) =>
  (input: Task): Promise<string> =>
    withRun(contract, (run) => does(run, input), { input, taskId: "report-task", model: "m-1" });

/** All pages at once; one is down. */
async function read(topic: string): Promise<readonly string[]> {
  const { pages } = await search({ query: topic });
  const texts = await Promise.allSettled(pages.map((page) => fetchPage({ page })));
  return texts.flatMap((it) => (it.status === "fulfilled" ? [it.value] : []));
}

export const broken = work(async (_run, { topic }) => `report on ${topic}: ${(await read(topic)).length} pages`);

export const fixed = work(async (_run, { topic }) => {
  await writeFile("report.md", (await read(topic)).join("\n"));
  return "report written";
});

/** Also right: asks in another order and for less. */
export const fixedDifferently = work(async (_run, { topic }) => {
  const { pages } = await search({ query: topic });
  const second = await fetchPage({ page: pages[1] ?? "" });
  await writeFile("report.md", `${second}\n${await fetchPage({ page: pages[0] ?? "" })}`);
  return "report written";
});

export const asksMore = work(async (_run, { topic }) => {
  await search({ query: `${topic} in rivers` }).catch(() => {});
  await writeFile("report.md", (await read(topic)).join("\n"));
  return "report written";
});

export const failsOtherwise = work(async (_run, { topic }) => {
  await writeFile("report.md", "");
  return `nothing on ${topic}`;
});

/** Right, but for what it does besides and hides. */
export const callsHome = work(async (_run, { topic }) => {
  await writeFile("report.md", (await read(topic)).join("\n"));
  await new Promise<void>((resolve) => connect(80, "home.example").once("error", () => resolve()));
  return "report written";
});

/** As above, through a tool that was recorded otherwise. */
export const callsHomeInTool = work(async (_run, { topic }) => {
  await search({ query: topic });
  const texts = await Promise.allSettled([
    fetchPage({ page: `${topic}/1` }),
    fetchPage({ page: `${topic}/2` }),
    fetchPage({ page: `${topic}/9` }),
  ]);
  await writeFile("report.md", texts.map((it) => (it.status === "fulfilled" ? it.value : "")).join("\n"));
  return "report written";
});

export const crashes = work(() => process.exit(9));

export const withoutRun = (): Promise<void> => Promise.resolve();
