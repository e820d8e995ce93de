import { thrownText } from "../capture/error-class.ts";
import { toJson, type JsonValue } from "../json/json.ts";
import { abortable, probeSignal } from "../probes/probe-context.ts";
import type { ActiveRun, StateReader } from "./active-run.ts";
import { inScope, observingScope } from "./run-scope.ts";

export type StateReading = { readonly value: JsonValue } | { readonly problem: string };

/**
 * Reads the state with the patience of a probe: a reader that hangs must not hold up the run. Calls of wrapped tools in
 * there are recorded as probes, so that a replay reads the recorded state and not the machine's. Never rejects.
 */
export async function readStateBounded(run: ActiveRun, read: StateReader): Promise<StateReading> {
  try {
    // `async`: a reader that throws at once is treated like one that rejects.
    const state = await abortable(
      inScope(observingScope(run), async () => await read()),
      probeSignal({ cwd: "" }),
    );
    const value = toJson(state);
    return value === undefined ? { problem: "it is not JSON" } : { value };
  } catch (error) {
    return { problem: thrownText(error).message };
  }
}
