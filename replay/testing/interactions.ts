import type { CallRequest } from "../../instrumentation/capture/call-interceptor.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import type { Cassette, Interaction } from "../cassette/cassette.ts";

type Returned = Extract<Interaction, { outcome: "returned" }>;

/** A recorded tool call that returned. `cassetteOf` numbers it by its place in the list. */
export const recorded = (path: string, args: JsonValue, result: JsonValue): Returned => ({
  index: 0,
  kind: "tool",
  name: nameOf(path),
  path,
  arguments: args,
  side_effect: "read",
  started_offset_ms: 0,
  duration_ms: 1,
  source_span_id: "00000000000000aa",
  outcome: "returned",
  result,
});

export const cassetteOf = (...interactions: readonly Interaction[]): Cassette => ({
  format_version: 1,
  fixture_id: "a_fixture",
  ignore: [],
  interactions: interactions.map((it, index) => ({ ...it, index })),
});

export const asks = (path: string, args: JsonValue): CallRequest => ({
  kind: "tool",
  name: nameOf(path),
  path,
  arguments: args,
});

/** `plan#0/search#2` calls `search`. */
const nameOf = (path: string): string => path.split("/").at(-1)?.split("#")[0] ?? path;
