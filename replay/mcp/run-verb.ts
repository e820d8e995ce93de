import { Command } from "commander";
import { parseJson } from "../../instrumentation/json/json.ts";
import type { CommandContext } from "../commands/context.ts";
import { action, prepare, runCommandLine } from "../commands/run-command-line.ts";
import { captureStream } from "./captured-stream.ts";
import { type Outcome, outcomeOfExit } from "./answer/outcome.ts";

/** What a verb of the command line came to. */
export interface VerbRun {
  readonly outcome: Outcome;
  /** Its `--json` document; `undefined` when it wrote none. */
  readonly document: unknown;
  /** What it wrote for people: notes and errors. */
  readonly problems: readonly string[];
}

/** A verb of the command line, called with `--json`; gives its exit code. */
export type Verb = (context: CommandContext) => Promise<number>;

const MAX_DOCUMENT_CHARS = 96 * 1024 * 1024;
const MAX_NOTES_CHARS = 64 * 1024;
const MAX_PROBLEMS = 20;
// A recorded value of the greatest depth, inside a document.
const MAX_DOCUMENT_DEPTH = 256;

/**
 * Calls a verb as the command line does, with its streams caught: tools have no second way to do anything. Never rejects;
 * errors come out as the command line has them.
 */
export async function runVerb(
  verb: Verb,
  context: Pick<CommandContext, "env" | "cwd" | "signal">,
  onLine?: (line: string) => void,
): Promise<VerbRun> {
  const [stdout, stderr] = [captureStream(MAX_DOCUMENT_CHARS), captureStream(MAX_NOTES_CHARS, onLine)];
  const captured: CommandContext = { ...context, stdout: stdout.stream, stderr: stderr.stream };
  const program = prepare(new Command("runproof"), captured);
  program.action(action(program, () => verb(captured)));
  const code = await runCommandLine(program, ["node", "runproof"], captured);
  const lines = stderr.text().split("\n");
  const problems = lines.map((line) => line.trim()).filter((line) => line !== "");
  if (stdout.isCut()) {
    return { outcome: "environment", document: undefined, problems: ["the answer is too large to be taken"] };
  }
  const text = stdout.text();
  return {
    outcome: outcomeOfExit(code),
    document: text.trim() === "" ? undefined : parseJson(text, MAX_DOCUMENT_DEPTH),
    problems: problems.slice(-MAX_PROBLEMS),
  };
}
