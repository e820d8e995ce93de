import { mkdir, writeFile } from "node:fs/promises";
import { withRun } from "../../instrumentation/index.ts";
import { codingContract } from "./contract.ts";
import { proposeCode, readIssue } from "./tools.ts";

export interface Issue {
  readonly issue: string;
}

/** Reads an issue, has code proposed, writes it beside its check. The broken and the fixed agent differ in `codeOf`. */
export const createCodingAgent =
  (codeOf: (answer: string) => string) =>
  (input: Issue): Promise<string> =>
    withRun(
      codingContract,
      async (run) => {
        const { text, check } = await readIssue({ issue: input.issue });
        const { answer } = await proposeCode({ text });
        await mkdir("src", { recursive: true });
        await writeFile("src/slug.mjs", codeOf(answer));
        await writeFile("src/slug.check.mjs", check);
        run.claim("done", "the module is written");
        return `Issue ${input.issue} is solved; the code is in src/slug.mjs and passes its check.`;
      },
      { input, taskId: `issue:${input.issue}` },
    );
