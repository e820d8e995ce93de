import type { SlicePart } from "./judge-slice.ts";
import type { Slice } from "./plan-slices.ts";

/** One slice at a time; the next part of it is not begun before the last one was taken. */
export type ToBacktestThread = { readonly type: "slice"; readonly slice: Slice } | { readonly type: "taken" };

export type FromBacktestThread =
  | { readonly type: "part"; readonly part: SlicePart }
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly error: unknown };
