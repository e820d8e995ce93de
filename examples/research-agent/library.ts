import { wrapTool } from "../../instrumentation/index.ts";

/** The world the agent works in: a handful of pages. Small enough to read, real enough to be searched. */
const PAGES: Readonly<Record<string, { readonly title: string; readonly text: string }>> = {
  "library://tides/moon": {
    title: "The Moon and the tides",
    text: "The Moon raises two bulges in the oceans. A coast passes both each lunar day, so most coasts see two high tides in 24 hours and 50 minutes.",
  },
  "library://tides/sun": {
    title: "Spring and neap tides",
    text: "When Sun and Moon pull in line, tides are highest: spring tides. At right angles the Sun takes some of the Moon's effect away: neap tides.",
  },
  "library://tides/bays": {
    title: "Why the Bay of Fundy is special",
    text: "The bay's water sloshes with a period close to that of the tide. Resonance builds ranges of more than sixteen metres.",
  },
};

export const search = wrapTool({ name: "search", sideEffect: "read" }, async ({ query }: { query: string }) =>
  Object.entries(PAGES)
    .filter(([url, page]) => `${url} ${page.title}`.toLowerCase().includes(query.toLowerCase()))
    .map(([url, page]) => ({ url, title: page.title })),
);

export const readPage = wrapTool({ name: "read_page", sideEffect: "read" }, async ({ url }: { url: string }) => {
  const page = PAGES[url];
  if (page === undefined) throw new Error(`no such page: ${url}`);
  return page;
});
