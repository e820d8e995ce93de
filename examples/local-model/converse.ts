import OpenAI from "openai";

/** Which model answers, and where. Part of an agent's input, so that a replay asks at the same place. */
export interface ModelPlace {
  readonly url: string;
  readonly name: string;
}

/** A tool as the model is told of it. */
export interface AgentTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of its arguments. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** What it gives back goes to the model as JSON. What it throws does too: a model may try something else. */
  readonly run: (args: never, options: { readonly callId: string }) => Promise<unknown>;
}

export interface Conversation {
  readonly model: ModelPlace;
  readonly system: string;
  readonly task: string;
  readonly tools: readonly AgentTool[];
  /** Ask for the answers as streams. Default false. */
  readonly stream?: boolean;
}

const MAX_TURNS = 16;

type Message = OpenAI.Chat.Completions.ChatCompletionMessageParam;
type Assistant = OpenAI.Chat.Completions.ChatCompletionMessage;

/** The usual loop: ask the model, call the tools it asks for, tell it what they gave, until it has only words left. */
export async function converse(conversation: Conversation): Promise<string> {
  const { model, system, task, tools } = conversation;
  const client = new OpenAI({ baseURL: model.url, apiKey: process.env["OPENAI_API_KEY"] ?? "local" });
  const messages: Message[] = [
    { role: "system", content: system },
    { role: "user", content: task },
  ];
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    const message = await ask(client, conversation, messages);
    const calls = (message.tool_calls ?? []).filter((call) => call.type === "function");
    if (calls.length === 0) return message.content ?? "";
    messages.push({ role: "assistant", content: message.content, tool_calls: calls });
    for (const { id, function: called } of calls) {
      const tool = tools.find(({ name }) => name === called.name);
      const content = JSON.stringify(await resultOf(tool, called.arguments, id));
      messages.push({ role: "tool", tool_call_id: id, content });
    }
  }
  return "I could not finish within the turns I have.";
}

async function ask(client: OpenAI, { model, tools, stream }: Conversation, messages: Message[]): Promise<Assistant> {
  const request = {
    model: model.name,
    messages,
    ...(tools.length === 0 ? {} : { tools: tools.map(definitionOf) }),
  };
  if (stream === true) {
    const answered = await client.chat.completions.stream(request).finalChatCompletion();
    return answered.choices[0]?.message ?? NOTHING;
  }
  const answered = await client.chat.completions.create(request);
  return answered.choices[0]?.message ?? NOTHING;
}

const NOTHING: Assistant = { role: "assistant", content: "", refusal: null };

const definitionOf = ({ name, description, parameters }: AgentTool) => ({
  type: "function" as const,
  function: { name, description, parameters: { ...parameters } },
});

async function resultOf(tool: AgentTool | undefined, args: string, callId: string): Promise<unknown> {
  if (tool === undefined) return { error: "there is no such tool" };
  try {
    return (await tool.run(JSON.parse(args) as never, { callId })) ?? null;
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
