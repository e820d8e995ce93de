import type { JsonObject } from "../../../instrumentation/json/json.ts";
import { fixtureStatus } from "../../commands/fixture-status.ts";
import { runVerb, type VerbRun } from "../run-verb.ts";
import type { ToolCall } from "../tool.ts";
import { recordsOf, textOf } from "../verb-answer.ts";
import { lastCanaries, type LastCanary } from "./last-canaries.ts";

export interface FixtureStates {
  readonly status: VerbRun;
  /** One for each fixture, with its newest canary. */
  readonly rows: readonly JsonObject[];
}

/** The state of one fixture, or of all in the configured folder, now. */
export async function fixtureStates(path: string | undefined, call: ToolCall): Promise<FixtureStates> {
  const verb = runVerb((it) => fixtureStatus(path, { store: true, json: true }, it), call.context);
  const [status, canaries] = await Promise.all([verb, lastCanaries(call).catch(() => undefined)]);
  const rows = recordsOf(status.document).map((row) => ({ ...row, last_canary: canaryOf(row, canaries) }));
  return { status, rows };
}

const canaryOf = (row: JsonObject, canaries: LastCanary | undefined): JsonObject | string =>
  canaries === undefined
    ? "not known: the store does not answer"
    : (canaries(textOf(row["fixture_id"])) ?? "none within a week");
