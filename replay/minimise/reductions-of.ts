import type { JsonValue } from "../../instrumentation/json/json.ts";
import { childPointer } from "../../instrumentation/json/pointer.ts";
import { splitAtPseudonyms } from "../../instrumentation/capture/redaction-pseudonym.ts";
import type { FixtureContent } from "./content.ts";
import { JSON_IN_TEXT, jsonInText } from "./json-in-text.ts";
import type { Reduction } from "./reduction.ts";
import { stepsAtDepth, treeDepth } from "./step-tree.ts";

type StepReduction = Extract<Reduction, { type: "step" }>;
type PartReduction = Extract<Reduction, { type: "part" }>;
export type TextReduction = Extract<Reduction, { type: "text" }>;

/** Shorter texts cost more replays than their bytes are worth. */
export const SHORTEST_TEXT_WORTH_CUTTING = 16;

/** Steps by depth, the coarsest first. */
export function stepLevels({ interactions }: FixtureContent): StepReduction[][] {
  const depths = Array.from({ length: treeDepth(interactions) }, (_, index) => index + 1);
  return depths.map((depth) => stepsAtDepth(interactions, depth).map((path) => ({ type: "step", path })));
}

/** Array items and object members by depth below their document, the coarsest first. */
export function partLevels(content: FixtureContent): PartReduction[][] {
  const levels: PartReduction[][] = [];
  for (const { pointer, value } of documentsOf(content)) collectParts(value, { pointer, depth: 0, levels });
  content.interactions.forEach((it, index) => {
    if (it.attempts !== undefined)
      (levels[0] ??= []).push({ type: "part", pointer: `/interactions/${index}/attempts` });
  });
  return levels;
}

/** Every text worth cutting, whole. What redaction put into a text is never cut into: it stays, or its field goes. */
export function textsOf(content: FixtureContent): TextReduction[] {
  const texts: TextReduction[] = [];
  for (const { pointer, value } of documentsOf(content)) collectTexts(value, pointer, texts);
  content.interactions.forEach((it, index) => {
    if (it.outcome === "threw") collectTexts(it.error.message, `/interactions/${index}/error/message`, texts);
  });
  return texts;
}

/** All single elements: a content is 1-minimal when taking out any of them makes the failure disappear. */
export const elementsOf = (content: FixtureContent): Reduction[] => [
  ...stepLevels(content).flat(),
  ...partLevels(content).flat(),
];

interface Document {
  readonly pointer: string;
  readonly value: JsonValue;
}

/** What the world gives the agent. Arguments are what the agent gives the world: they follow from the rest. */
function documentsOf({ input, state, interactions }: FixtureContent): Document[] {
  const results = interactions.flatMap((it, index) =>
    it.outcome === "returned" ? [{ pointer: `/interactions/${index}/result`, value: it.result }] : [],
  );
  return [{ pointer: "/input", value: input }, { pointer: "/state", value: state }, ...results];
}

interface PartWalk {
  readonly pointer: string;
  readonly depth: number;
  readonly levels: PartReduction[][];
}

function collectParts(value: JsonValue, { pointer, depth, levels }: PartWalk): void {
  for (const [key, member] of membersOf(value)) {
    const at = childPointer(pointer, key);
    (levels[depth] ??= []).push({ type: "part", pointer: at });
    collectParts(member, { pointer: at, depth: depth + 1, levels });
  }
  const inside = insideOf(value, pointer);
  if (inside !== undefined) collectParts(inside.value, { pointer: inside.pointer, depth, levels });
}

function collectTexts(value: JsonValue, pointer: string, texts: TextReduction[]): void {
  if (typeof value !== "string") {
    for (const [key, member] of membersOf(value)) collectTexts(member, childPointer(pointer, key), texts);
    return;
  }
  const inside = insideOf(value, pointer);
  if (inside !== undefined) collectTexts(inside.value, inside.pointer, texts);
  let from = 0;
  splitAtPseudonyms(value).forEach((part, place) => {
    const to = from + part.length;
    // Even places hold plain text, odd ones pseudonyms.
    if (place % 2 === 0 && part.length >= SHORTEST_TEXT_WORTH_CUTTING) texts.push({ type: "text", pointer, from, to });
    from = to;
  });
}

const membersOf = (value: JsonValue): [string, JsonValue][] =>
  value === null || typeof value !== "object" ? [] : Object.entries(value);

/** What a text holds, under the step that leads into it: tools and models pass JSON on as text. */
function insideOf(value: JsonValue, pointer: string): Document | undefined {
  const inside = typeof value === "string" ? jsonInText(value) : undefined;
  return inside === undefined ? undefined : { pointer: childPointer(pointer, JSON_IN_TEXT), value: inside };
}
