import { failOpen } from "../../fail-open.ts";
import { canonicalJson } from "../../json/canonical.ts";
import { parseJson, toJson, type JsonValue } from "../../json/json.ts";
import { recordCall } from "../../run/record-call.ts";
import { type AnyFunction, memberOf, patch, undoAll } from "../operation/index.ts";
import { sideEffectInContract } from "../side-effect-in-contract.ts";
import { nested, withMember } from "../with-member.ts";

/**
 * Makes the tools given to `runTools()` recorded calls, which a replay answers. `exports` of `openai` 4 to 7. Model
 * calls need no patch: they are recorded as HTTP exchanges. Returns what undoes it.
 */
export function patchOpenai(exports: unknown): () => void {
  const client = nested(exports, "OpenAI") ?? nested(exports, "default");
  const owners = [nested(client, "Chat", "Completions"), nested(client, "Beta", "Chat", "Completions")];
  const undo = owners.map((owner) => patch(memberOf(owner, "prototype"), "runTools", withTools));
  return undoAll(undo);
}

const withTools = (original: AnyFunction): AnyFunction =>
  function runTools(body, ...rest) {
    const given = failOpen("looking at the tools of runTools()", () => withRecordedTools(body), body);
    return Reflect.apply(original, this, [given, ...rest]);
  };

function withRecordedTools(body: unknown): unknown {
  const tools = nested(body, "tools");
  if (!Array.isArray(tools)) return body;
  const used = new Set<string>();
  return withMember(
    body as object,
    "tools",
    tools.map((tool: unknown) => recordedTool(tool, used)),
  );
}

type ToolFunction = (args: unknown, runner?: unknown, ...rest: unknown[]) => unknown;

/** Tools made by the SDK's own helpers keep their function aside, under `$callback`. */
function recordedTool(tool: unknown, used: Set<string>): unknown {
  const told = nested(tool, "function");
  if (typeof told !== "object" || told === null) return tool;
  const name = nested(told, "name") ?? nested(told, "function", "name");
  const recorded = (original: ToolFunction): ToolFunction =>
    function (this: unknown, args, runner, ...rest) {
      const execute = async (): Promise<unknown> => await Reflect.apply(original, this, [args, runner, ...rest]);
      return recordedToolCall({ name: String(name), args: readable(args), runner, used }, execute);
    };
  const callback = nested(tool, "$callback");
  if (typeof callback === "function")
    return withMember(tool as object, "$callback", recorded(callback as ToolFunction));
  const original = nested(told, "function");
  if (typeof original !== "function") return tool;
  return withMember(tool as object, "function", withNamedFunction(told, recorded(original as ToolFunction), name));
}

/** A tool without a name goes by its function's. */
function withNamedFunction(told: object, recorded: ToolFunction, name: unknown): object {
  Object.defineProperty(recorded, "name", { value: name, configurable: true });
  return withMember(told, "function", recorded);
}

interface ToolCall {
  readonly name: string;
  readonly args: unknown;
  readonly runner: unknown;
  /** Ids that were given to calls already. */
  readonly used: Set<string>;
}

function recordedToolCall({ name, args, runner, used }: ToolCall, execute: () => Promise<unknown>): Promise<unknown> {
  const callId = failOpen("finding the id of a tool call", () => callIdOf({ name, args, runner, used }), undefined);
  const spec = {
    kind: "tool",
    name,
    sideEffect: sideEffectInContract(name),
    ...(callId === undefined ? {} : { callId }),
  } as const;
  return recordCall(spec, args, execute);
}

/** Without a parser of its own a tool gets the text that the model wrote. */
const readable = (args: unknown): unknown => (typeof args === "string" ? (parseJson(args) ?? args) : args);

/** The runner tells a tool nothing of its call, but holds the message that asked for it. */
function callIdOf({ name, args, runner, used }: ToolCall): string | undefined {
  const messages = nested(runner, "messages");
  const last = Array.isArray(messages)
    ? messages.findLast((it: unknown) => nested(it, "role") === "assistant")
    : undefined;
  const calls = nested(last, "tool_calls");
  if (!Array.isArray(calls)) return undefined;
  const mine = (calls as readonly unknown[]).filter((call) => {
    const id = nested(call, "id");
    return typeof id === "string" && !used.has(id) && nested(call, "function", "name") === name;
  });
  const given = canonical(toJson(args));
  const found =
    mine.find((call) => canonical(parseJson(String(nested(call, "function", "arguments")))) === given) ?? mine[0];
  const id = nested(found, "id") as string | undefined;
  if (id !== undefined) used.add(id);
  return id;
}

const canonical = (value: JsonValue | undefined): string | undefined =>
  value === undefined ? undefined : canonicalJson(value);
