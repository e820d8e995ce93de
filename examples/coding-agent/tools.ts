import { wrapTool } from "../../instrumentation/index.ts";

const CHECK = `import assert from "node:assert/strict";
import { slug } from "./slug.mjs";

assert.equal(slug("Spring  Tides!"), "spring-tides");
`;

export const readIssue = wrapTool({ name: "read_issue", sideEffect: "read" }, async ({ issue }: { issue: string }) => ({
  issue,
  text: "Write src/slug.mjs: slug(title) gives lower-case words with a dash between them.",
  check: CHECK,
}));

/** Stands for a model; as models do, it puts its code into a fence, with a friendly word before it. */
export const proposeCode = wrapTool(
  { name: "propose_code", sideEffect: "read" },
  async ({ text }: { text: string }) => ({
    answer: [
      `Sure! For "${text.slice(0, 20)}…" I would write:`,
      "",
      "```js",
      "export const slug = (title) => title.toLowerCase().match(/[a-z0-9]+/g).join('-');",
      "```",
    ].join("\n"),
  }),
);
