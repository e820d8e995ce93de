import { thrownText } from "../capture/error-class.ts";
import { toJson, type JsonValue } from "../json/json.ts";
import { abortable, probeSignal } from "../probes/probe-context.ts";
import type { StateReader } from "./active-run.ts";

export type StateReading = { readonly value: JsonValue } | { readonly problem: string };

/** Reads the state with the patience of a probe: a reader that hangs must not hold up the run. Never rejects. */
export async function readStateBounded(read: StateReader): Promise<StateReading> {
  try {
    // `async`: a reader that throws at once is treated like one that rejects.
    const state = await abortable((async () => await read())(), probeSignal({ cwd: "" }));
    const value = toJson(state);
    return value === undefined ? { problem: "it is not JSON" } : { value };
  } catch (error) {
    return { problem: thrownText(error).message };
  }
}
