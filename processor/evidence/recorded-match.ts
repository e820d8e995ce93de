import { canonicalJson } from "../../instrumentation/json/canonical.ts";
import type { AskedCall } from "./inferred-tool-calls.ts";
import type { RecordedCall } from "./recorded-call.ts";

/**
 * Tells which of the calls that models asked for were recorded: by call id, else by name and arguments, else by name
 * alone (tools fill in defaults), in the order they are asked about. A recorded call stands for one of them.
 */
export function matchesRecorded(recorded: readonly RecordedCall[]): (asked: AskedCall) => boolean {
  const tools = recorded.filter(({ kind }) => kind === "tool");
  const byId = new Set(tools.map(({ callId }) => callId).filter((id) => id !== ""));
  const rest = tools.filter(({ callId }) => callId === "").sort(byStart);
  const take = (fits: (call: RecordedCall) => boolean): boolean => {
    const at = rest.findIndex(fits);
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  };
  return (asked) => {
    if (asked.id !== "" && byId.has(asked.id)) return true;
    const named = (call: RecordedCall): boolean => isNamed(asked.name, call.name);
    const given = canonicalJson(asked.arguments);
    const alike = (call: RecordedCall): boolean =>
      named(call) && call.arguments !== undefined && canonicalJson(call.arguments) === given;
    return take(alike) || take(named);
  };
}

/** Models know the tools of a server under the server's name and their own: `files__read`, `files.read`. */
const isNamed = (asked: string, recorded: string): boolean =>
  asked === recorded ||
  (recorded !== "" && asked.endsWith(recorded) && /[_.\-/:]$/.test(asked.slice(0, -recorded.length)));

const byStart = (a: RecordedCall, b: RecordedCall): number => {
  const apart = BigInt(a.startUnixNano) - BigInt(b.startUnixNano);
  return apart === 0n ? (a.spanId < b.spanId ? -1 : 1) : apart < 0n ? -1 : 1;
};
