import type { JsonValue } from "../../instrumentation/json/json.ts";
import { pointerSteps } from "../../instrumentation/json/pointer.ts";
import type { Interaction } from "../cassette/cassette.ts";
import { withTrueLength } from "./body-length.ts";
import type { FixtureContent } from "./content.ts";
import { JSON_IN_TEXT, jsonInText } from "./json-in-text.ts";
import { closedUp } from "./step-tree.ts";

/**
 * One thing that can be taken out of a content. Pointers go into `{input, state, interactions}`, and on into JSON that a
 * text holds.
 */
export type Reduction =
  /** A call path with everything beneath it. */
  | { readonly type: "step"; readonly path: string }
  /** An array item or object member. */
  | { readonly type: "part"; readonly pointer: string }
  /** The characters `from` to `to` (exclusive, UTF-16) of a string. */
  | { readonly type: "text"; readonly pointer: string; readonly from: number; readonly to: number };

/** A copy without what the reductions name. Pure; what is named twice, or no longer there, is simply gone. */
export function reduced(content: FixtureContent, reductions: readonly Reduction[]): FixtureContent {
  const cuts = newCuts();
  const steps = new Set<string>();
  for (const one of reductions) {
    if (one.type === "step") steps.add(one.path);
    else addCut(cuts, one);
  }
  const { input, state, interactions } = (cuts.members.size === 0
    ? content
    : cut(content as unknown as JsonValue, cuts)) as unknown as FixtureContent;
  const fitting = interactions.map((it, index) => (it === content.interactions[index] ? it : withTrueLength(it)));
  const kept = steps.size === 0 ? fitting : fitting.filter((it) => !isBeneath(it, steps));
  return { input, state, interactions: closedUp(fitting, kept) };
}

function isBeneath({ path }: Interaction, steps: ReadonlySet<string>): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
    if (steps.has(path.slice(0, end))) return true;
  }
  return false;
}

/** The pointers of many cuts as one tree, so that a content is walked once however many there are. */
interface Cuts {
  isGone: boolean;
  readonly members: Map<string, Cuts>;
  readonly ranges: (readonly [from: number, to: number])[];
}

const newCuts = (): Cuts => ({ isGone: false, members: new Map(), ranges: [] });

function addCut(root: Cuts, reduction: Exclude<Reduction, { type: "step" }>): void {
  let at = root;
  for (const step of pointerSteps(reduction.pointer)) {
    const next = at.members.get(step) ?? newCuts();
    at.members.set(step, next);
    at = next;
  }
  if (reduction.type === "part") at.isGone = true;
  else at.ranges.push([reduction.from, reduction.to]);
}

function cut(value: JsonValue, cuts: Cuts): JsonValue {
  if (typeof value === "string") return cutText(value, cuts);
  if (value === null || typeof value !== "object" || cuts.members.size === 0) return value;
  const kept = (key: string): boolean => cuts.members.get(key)?.isGone !== true;
  const inner = (key: string, member: JsonValue): JsonValue => {
    const below = cuts.members.get(key);
    return below === undefined ? member : cut(member, below);
  };
  if (Array.isArray(value)) {
    return (value as readonly JsonValue[]).flatMap((item, index) =>
      kept(String(index)) ? [inner(String(index), item)] : [],
    );
  }
  // From entries, so that a recorded `__proto__` stays an ordinary key.
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]: [string, JsonValue]): [string, JsonValue][] =>
      kept(key) ? [[key, inner(key, member)]] : [],
    ),
  );
}

/** A range is of the text as it stands, so where there are ranges they alone are cut. */
function cutText(text: string, { ranges, members }: Cuts): string {
  if (ranges.length > 0) return withoutRanges(text, ranges);
  const within = members.get(JSON_IN_TEXT);
  const inside = within === undefined ? undefined : jsonInText(text);
  return within === undefined || inside === undefined ? text : JSON.stringify(cut(inside, within));
}

/** Overlapping ranges count once; a character outside the first Unicode plane goes as a whole or stays. */
function withoutRanges(text: string, ranges: readonly (readonly [number, number])[]): string {
  let rest = "";
  let end = 0;
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    rest += text.slice(end, Math.max(end, from - splitAt(text, from)));
    end = Math.max(end, to + splitAt(text, to));
  }
  return rest + text.slice(end);
}

/** 1 inside a surrogate pair, else 0. */
const splitAt = (text: string, place: number): number => ((text.codePointAt(place - 1) ?? 0) > 0xff_ff ? 1 : 0);
