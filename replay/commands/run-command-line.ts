import { type Command, CommanderError } from "commander";
import { ConfigError } from "../config.ts";
import { safeText } from "../safe-text.ts";
import { EXIT } from "../worker/exit-codes.ts";
import type { CommandContext } from "./context.ts";

/** A mistake of the user that commander cannot see. */
export class UsageError extends Error {
  readonly code = "RUNPROOF_USAGE";
}

/**
 * Parses a command line and runs its verb. Resolves to the exit code of the process: what the verb set, 2 for wrong
 * usage or configuration, 3 for trouble with the environment, 130 when interrupted. Never rejects.
 */
export async function runCommandLine(
  program: Command,
  argv: readonly string[],
  context: CommandContext,
): Promise<number> {
  try {
    await program.parseAsync([...argv]);
    return exitCodes.get(program) ?? EXIT.ok;
  } catch (error) {
    // Help and version end the parsing too; commander has printed what there is to say.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (context.signal.aborted) return EXIT.interrupted;
    const isUsage = error instanceof ConfigError || error instanceof UsageError;
    // A mistake is told by its message; trouble also by what is behind it.
    context.stderr.write(`error: ${safeText(isUsage ? error.message : messageOf(error))}\n`);
    return isUsage ? EXIT.usage : EXIT.environment;
  }
}

const exitCodes = new WeakMap<Command, number>();

/** Makes an action of a function that returns its exit code. */
export const action =
  <Args extends unknown[]>(program: Command, run: (...args: Args) => Promise<number>) =>
  async (...args: Args): Promise<void> => {
    exitCodes.set(program, await run(...args));
  };

/** Prepares a program: errors come back as exceptions, texts go to the context's streams. */
export function prepare(program: Command, context: CommandContext): Command {
  return program
    .exitOverride()
    .showHelpAfterError("(--help shows what there is)")
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
    });
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // An AggregateError of refused connections has no message of its own.
  const text = error.message || (error as NodeJS.ErrnoException).code || error.name;
  return error.cause instanceof Error ? `${text} (${messageOf(error.cause)})` : text;
}
