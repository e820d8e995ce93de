import type { z } from "zod";
import type { CommandContext } from "../commands/context.ts";
import type { ToolAnswer } from "./answer/envelope.ts";

/** What a call of a tool may touch. */
export interface ToolCall {
  /** Environment, folder and end of the call. `signal` is aborted by the client, by the call's time bound, or by the end of the server. */
  readonly context: Pick<CommandContext, "env" | "cwd" | "signal">;
  /** The project whose runs may be seen; `undefined`: all that the store shows. */
  readonly project: string | undefined;
  /** Tells the client that work goes on. Never with recorded content. */
  progress(message: string): void;
}

/** One tool of the server. Its texts are fixed: nothing recorded is ever part of a name, title or description. */
export interface McpTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** `write` tools are registered only when the server was started with `--allow-writes`. */
  readonly access: "read" | "write";
  readonly hints: ToolHints;
  /** Unknown arguments are refused. */
  readonly input: z.ZodObject;
  /** It tells of the scope itself, and so answers also where there is none to work in. Default: scope first. */
  readonly unscoped?: true;
  /** The call is ended after this. */
  readonly limitSeconds: number;
  /** `args` were parsed by `input`. A rejection is told as trouble with the environment. */
  run(args: never, call: ToolCall): Promise<ToolAnswer>;
}

/** What a client may tell its user before it calls. */
export interface ToolHints {
  readonly destructive: boolean;
  readonly idempotent: boolean;
  /** Whether it reaches beyond runproof's own store and folder. */
  readonly openWorld: boolean;
}

export const READS: ToolHints = { destructive: false, idempotent: true, openWorld: false };

/** Makes a tool whose `run` has the type of its arguments. */
export const defineTool = <Input extends z.ZodObject>(
  tool: Omit<McpTool, "input" | "run"> & {
    readonly input: Input;
    run(args: z.output<Input>, call: ToolCall): Promise<ToolAnswer>;
  },
): McpTool => tool;
