/** An agent of the tests that asks the world over HTTP: through a tool, and past all tools. */
import { request } from "node:http";
import { defineContract, withRun, wrapTool } from "../../../instrumentation/index.ts";

const contract = defineContract({ agent: "http-agent" });

interface Task {
  readonly url: string;
  /** Asks once more than when it was recorded. */
  readonly more?: boolean;
}

const page = wrapTool({ name: "page", sideEffect: "read" }, async ({ url }: { url: string }) => {
  return await (await fetch(`${url}/json`)).text();
});

const count = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const asking = request(`${url}/count`, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve(text));
    });
    asking.on("error", reject).end();
  });

/** The counts at once, in the order of asking, and what the stream said in its chunks. */
export async function work({ url, more = false }: Task): Promise<string> {
  const text = await page({ url });
  const counts = await Promise.all([count(url), count(url), count(url)]);
  const chunks: number[] = [];
  for await (const chunk of (await fetch(`${url}/sse`)).body ?? []) chunks.push((chunk as Uint8Array).length);
  const extra = more ? await count(url).catch((error: unknown) => String(error)) : "";
  return JSON.stringify({ text, counts, chunks, extra });
}

export default (input: Task): Promise<string> => withRun(contract, () => work(input), { input });
