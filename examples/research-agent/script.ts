import type { Script } from "../local-model/script.ts";

interface Page {
  readonly title?: string;
  readonly text?: string;
}

/** Searches for the topic, reads all it finds and one page that does not exist, and strings first sentences together. */
export const researchScript: Script = ({ task, results: [hits, ...pages] }) => {
  if (hits === undefined) return { call: [["search", { query: task.split(": ").at(-1) ?? "" }]] };
  if (pages.length === 0) {
    const urls = [...(hits as { url: string }[]).map(({ url }) => url), "library://tides/errata"];
    return { call: urls.map((url) => ["read_page", { url }] as const) };
  }
  const read = (pages as Page[]).flatMap(({ title, text }) =>
    title === undefined || text === undefined ? [] : [`${title}: ${text.split(". ")[0]}.`],
  );
  return { say: read.join(" ") };
};
