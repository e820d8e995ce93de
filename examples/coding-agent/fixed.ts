import { createCodingAgent, type Issue } from "./coder.ts";

/** The same agent with the bug mended: only what stands between the fences is code. */
const agent = createCodingAgent((answer) => `${/```\w*\n([^]*?)\n```/.exec(answer)?.[1] ?? answer}\n`);

export default (issue: Issue): Promise<string> => agent(issue);
