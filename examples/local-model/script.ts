import { z } from "zod";

/** What a scripted model sees of a conversation when it is its turn. */
export interface Turn {
  /** What it was told to be. */
  readonly system: string;
  /** The task: what the user said last. */
  readonly task: string;
  /** What the tools answered since, in order, parsed. */
  readonly results: readonly unknown[];
  /** Names of the tools it may call. */
  readonly tools: readonly string[];
}

/** What it answers: words, or calls of tools with their arguments. */
export type Reply =
  | { readonly say: string }
  | { readonly call: readonly (readonly [tool: string, args: Readonly<Record<string, unknown>>])[] };

/** Plays the model in one role. The same turn gets the same reply, whoever asks and how often. */
export type Script = (turn: Turn) => Reply;

export const chatRequest = z.looseObject({
  model: z.string().max(200),
  messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })).max(1_000),
  tools: z
    .array(z.looseObject({ function: z.looseObject({ name: z.string() }) }))
    .max(100)
    .default([]),
  stream: z.boolean().default(false),
});

export type ChatRequest = z.output<typeof chatRequest>;

export function turnFrom({ messages, tools }: ChatRequest): Turn {
  const asked = messages.findLastIndex(({ role }) => role === "user");
  const told = messages.slice(asked + 1).filter(({ role }) => role === "tool");
  return {
    system: textOf(messages.find(({ role }) => role === "system")?.content),
    task: textOf(messages[asked]?.content),
    results: told.map(({ content }) => parsed(textOf(content))),
    tools: tools.map((tool) => tool.function.name),
  };
}

const textOf = (content: unknown): string => (typeof content === "string" ? content : JSON.stringify(content ?? ""));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
