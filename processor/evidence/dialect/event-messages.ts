import { isJsonObject, parseJson, type JsonObject, type JsonValue } from "../../../instrumentation/json/json.ts";
import type { AttributeMap, LogRow, SpanRow } from "../../clickhouse/rows.ts";
import { EVENTS } from "./names.ts";
import { textOfName } from "./read-field.ts";
import { compareNano } from "./compare-nano.ts";
import { firstMember } from "./unflatten.ts";

/** An event about one span, from a log record or from the span itself. */
export interface StepEvent {
  readonly name: string;
  readonly unixNano: string;
  readonly attributes: AttributeMap;
  /** What old events carry their content in. */
  readonly body: JsonValue | undefined;
}

const KNOWN: ReadonlySet<string> = new Set(Object.values(EVENTS));

/** The events of a span that tell messages, in the order of their times, then as they came. */
export function eventsOf(span: SpanRow, logs: readonly LogRow[]): StepEvent[] {
  const own = span["Events.Name"].map((name, index) => ({
    name,
    unixNano: span["Events.Timestamp"][index] ?? "0",
    attributes: span["Events.Attributes"][index] ?? {},
    body: undefined,
  }));
  const logged = logs.map((log) => ({
    name: log.EventName || textOfName(log.LogAttributes, "event.name"),
    unixNano: log.Timestamp,
    attributes: log.LogAttributes,
    body: parseJson(log.Body),
  }));
  return [...own, ...logged]
    .filter(({ name }) => KNOWN.has(name))
    .map((event, index) => ({ event, index }))
    .sort((a, b) => compareNano(a.event.unixNano, b.event.unixNano) || a.index - b.index)
    .map(({ event }) => event);
}

const ROLES: Readonly<Record<string, string>> = {
  [EVENTS.system]: "system",
  [EVENTS.user]: "user",
  [EVENTS.assistant]: "assistant",
  [EVENTS.tool]: "tool",
};

/** What the events of a step add to its attributes. */
export interface EventContent {
  /** Attributes that events repeat in the newest form; a later event wins. */
  readonly attributes: AttributeMap;
  readonly input: readonly JsonValue[];
  readonly output: readonly JsonValue[];
}

export function eventContent(events: readonly StepEvent[]): EventContent {
  const attributes: AttributeMap = Object.create(null) as AttributeMap;
  const input: JsonValue[] = [];
  const choices: { index: number; value: JsonValue }[] = [];
  for (const event of events) {
    const role = Object.hasOwn(ROLES, event.name) ? ROLES[event.name] : undefined;
    if (role !== undefined) input.push({ role, ...contentOf(event) });
    else if (event.name === EVENTS.choice) choices.push(choiceOf(event));
    else Object.assign(attributes, event.attributes);
  }
  // A streamed answer is told item by item; only one choice was made in the end.
  const first = Math.min(...choices.map(({ index }) => index));
  return { attributes, input, output: choices.filter(({ index }) => index === first).map(({ value }) => value) };
}

/** Log records have their content in the body, events of spans in attributes whose values are JSON. */
function contentOf({ body, attributes }: StepEvent): JsonObject {
  if (isJsonObject(body)) return body;
  return Object.fromEntries(
    Object.keys(attributes).flatMap((name): [string, JsonValue][] => {
      const text = textOfName(attributes, name);
      return text === "" ? [] : [[name, parseJson(text) ?? text]];
    }),
  );
}

function choiceOf(event: StepEvent): { index: number; value: JsonValue } {
  const content = contentOf(event);
  const message = firstMember(content, ["message", "content"]) ?? content;
  const index = Number(firstMember(content, ["index"]) ?? 0);
  const value = isJsonObject(message) ? { ...message, role: "assistant" } : { role: "assistant", content: message };
  return { index: Number.isFinite(index) ? index : 0, value };
}
