import { createCodingAgent } from "../../coding-agent/coder.ts";
import { seeded } from "./seeded.ts";

export default seeded(
  {
    fence_in_code: (answer: string) => answer,
    // It looks for a fence of another language, and finds nothing.
    code_empty: (answer: string) => /```ts\n([^]*?)\n```/.exec(answer)?.[1] ?? "",
  },
  createCodingAgent,
);
