import { isJsonObject, parseJson, type JsonValue } from "../../../instrumentation/json/json.ts";
import type { AttributeMap } from "../../clickhouse/rows.ts";
import type { StepKind } from "./normalised-step.ts";
import { type Alias, MISSING_VALUES, WITHHELD_MARKS } from "./names.ts";
import { member, unflatten } from "./unflatten.ts";

/** A text of an attribute; `''` when it is absent, or says that the value was left out. */
export function textOfName(attributes: AttributeMap, name: string): string {
  const text = Object.hasOwn(attributes, name) ? (attributes[name] ?? "") : "";
  return MISSING_VALUES.has(text) ? "" : text;
}

const fits = (alias: Alias, kind: StepKind): boolean => alias.on === undefined || alias.on.includes(kind);

/** The first alias that says anything. */
export function firstText(attributes: AttributeMap, aliases: readonly Alias[], kind: StepKind): string {
  for (const alias of aliases) {
    const text = fits(alias, kind) ? textOfName(attributes, alias.name) : "";
    if (text !== "") return text;
  }
  return "";
}

/** `null` for what is no number of 0 or more. */
export function firstNumber(attributes: AttributeMap, aliases: readonly Alias[], kind: StepKind): number | null {
  const text = firstText(attributes, aliases, kind);
  const value = Number(text);
  return text !== "" && Number.isFinite(value) && value >= 0 ? value : null;
}

export interface Found {
  readonly alias: Alias;
  readonly value: JsonValue;
}

/** Every alias of the kind that has a value, best first, as JSON. */
export function* valuesOf(attributes: AttributeMap, aliases: readonly Alias[], kind: StepKind): Generator<Found> {
  for (const alias of aliases) {
    if (!fits(alias, kind)) continue;
    const value = alias.form === "indexed" ? unflatten(attributes, alias.name) : valueOf(attributes, alias);
    if (value !== undefined) yield { alias, value };
  }
}

function valueOf(attributes: AttributeMap, { name, form }: Alias): JsonValue | undefined {
  const text = textOfName(attributes, name);
  if (text === "") return undefined;
  const value = form === "answer" ? text : (parseJson(text) ?? bareText(text));
  return form === "entity" && value !== undefined ? entityValue(value) : value;
}

/** A text that began as a document and does not parse was cut, or is broken: half a document is no data. */
const bareText = (text: string): string | undefined => (/^\s*(\{\s*"|\[\s*["{[])/.test(text) ? undefined : text);

/** `{"args": [x], "kwargs": {}}` and `{"inputs": x}` stand for x. */
function entityValue(value: JsonValue): JsonValue {
  const inputs = member(value, "inputs") ?? member(value, "input") ?? member(value, "outputs");
  if (inputs !== undefined) return inputs;
  const args = member(value, "args");
  const named = member(value, "kwargs");
  if (Array.isArray(args) && args.length === 1) return args[0] as JsonValue;
  if (Array.isArray(args) && args.length === 0 && isJsonObject(named)) return named;
  return value;
}

/** What the emitter or the receiver says it left out. */
export function withheldBy(attributes: AttributeMap): string[] {
  const marks = WITHHELD_MARKS.filter((name) => !["", "false", "{}", "[]"].includes(attributeText(attributes, name)));
  const redacted = Object.keys(attributes).filter(
    (name) => attributeText(attributes, name) !== "" && isRedaction(attributeText(attributes, name)),
  );
  return [...marks, ...redacted].slice(0, MAX_WITHHELD);
}

const MAX_WITHHELD = 20;
const attributeText = (attributes: AttributeMap, name: string): string =>
  Object.hasOwn(attributes, name) ? (attributes[name] ?? "") : "";
const isRedaction = (text: string): boolean => text.length < 24 && /^[<[_]/.test(text) && MISSING_VALUES.has(text);
