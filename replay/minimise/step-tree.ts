import { callPlace } from "../cassette/call-path.ts";
import type { Interaction } from "../cassette/cassette.ts";

/** The paths of the step tree at one depth (1 is directly under the run), in the order in which they began. */
export function stepsAtDepth(interactions: readonly Interaction[], depth: number): string[] {
  const paths = interactions.map((it) => it.path.split("/")).filter((segments) => segments.length >= depth);
  return [...new Set(paths.map((segments) => segments.slice(0, depth).join("/")))];
}

/** How deep the deepest call is. */
export const treeDepth = (interactions: readonly Interaction[]): number =>
  interactions.reduce((deepest, { path }) => Math.max(deepest, path.split("/").length), 0);

/**
 * What is kept of `before`, under the paths the agent will ask for: ordinals are handed out in sequence, so what came
 * after a step that is gone moves up by one. Gaps that were there before stay: a step may make no call that is recorded.
 */
export function closedUp(before: readonly Interaction[], kept: readonly Interaction[]): Interaction[] {
  const gone = before.length === kept.length ? new Map<string, number[]>() : goneOrdinals(before, kept);
  return kept.map((it, index) => {
    const path = gone.size === 0 ? it.path : movedPath(it.path, gone);
    return it.index === index && it.path === path ? it : { ...it, index, path };
  });
}

/** Ordinals of the steps that lost all their calls, by the step's path without its ordinal. */
function goneOrdinals(before: readonly Interaction[], kept: readonly Interaction[]): Map<string, number[]> {
  const left = new Set(kept.flatMap((it) => prefixes(it.path)));
  const gone = new Map<string, number[]>();
  for (const path of new Set(before.flatMap((it) => prefixes(it.path)))) {
    if (left.has(path)) continue;
    const { step, ordinal } = callPlace(path);
    gone.set(step, [...(gone.get(step) ?? []), ordinal]);
  }
  return gone;
}

/** Looked up under the old paths: a parent that moves takes what is beneath it along. */
function movedPath(path: string, gone: ReadonlyMap<string, readonly number[]>): string {
  return prefixes(path)
    .map((prefix) => {
      const { step, ordinal } = callPlace(prefix);
      const before = (gone.get(step) ?? []).filter((one) => one < ordinal).length;
      const segment = prefix.slice(prefix.lastIndexOf("/") + 1);
      return before === 0 ? segment : `${segment.slice(0, segment.lastIndexOf("#"))}#${ordinal - before}`;
    })
    .join("/");
}

function prefixes(path: string): string[] {
  const segments = path.split("/");
  return segments.map((_, index) => segments.slice(0, index + 1).join("/"));
}
