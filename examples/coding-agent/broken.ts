import { createCodingAgent, type Issue } from "./coder.ts";

/** The planted silent failure: the answer is written as it came, friendly words and fence included. It is no program. */
const agent = createCodingAgent((answer) => answer);

export default (issue: Issue): Promise<string> => agent(issue);
