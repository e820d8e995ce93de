import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { JsonValue } from "../../instrumentation/index.ts";

const json = z.json() as z.ZodType<JsonValue>;
const toolCall = z.object({ id: z.string(), function: z.object({ name: z.string(), arguments: z.string() }) });
const message = z.object({
  role: z.enum(["system", "user", "assistant", "tool"]),
  content: z.string().nullish(),
  tool_calls: z.array(toolCall).nullish(),
  tool_call_id: z.string().nullish(),
});
const action = z.object({ name: z.string(), kwargs: z.record(z.string(), json) });
const run = z.object({
  task_id: z.number(),
  trial: z.number(),
  reward: z.number(),
  traj: z.array(message),
  info: z.object({
    task: z.object({ actions: z.array(action), outputs: z.array(z.string()), instruction: z.string() }),
  }),
});

export type ChatMessage = z.output<typeof message>;
/** One recorded run of τ-bench: the conversation, and the benchmark's own ground truth (`reward`). */
export type RecordedRun = z.output<typeof run>;

/** Reads a file of recorded runs. Throws with the first problems when it is something else. */
export async function loadRecordedRuns(path: string): Promise<RecordedRun[]> {
  const parsed = z.array(run).safeParse(JSON.parse(await readFile(path, "utf8")));
  if (parsed.success) return parsed.data;
  throw new Error(`${path} does not hold recorded τ-bench runs: ${z.prettifyError(parsed.error).slice(0, 500)}`);
}
