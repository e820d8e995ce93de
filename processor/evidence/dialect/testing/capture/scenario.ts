import { readFileSync } from "node:fs";
import type { JsonObject, JsonValue } from "../../../../../instrumentation/json/json.ts";

/** What every producer is run through: a question, two tools called at once, an answer. Agents read the same file. */
export interface ScenarioText {
  readonly agent: string;
  readonly model: string;
  readonly system: string;
  readonly question: string;
  readonly tools: readonly {
    readonly name: string;
    readonly description: string;
    readonly parameters: JsonObject;
    readonly callId: string;
    readonly arguments: JsonObject;
    readonly result: JsonValue;
  }[];
  readonly answer: string;
}

export const SCENARIO = JSON.parse(
  readFileSync(new URL("./agents/scenario.json", import.meta.url), "utf8"),
) as ScenarioText;
