import { currentScope } from "../../run/run-scope.ts";
import { recordEvent } from "../../run/record-event.ts";
import { memberOf, textOf } from "../operation/index.ts";

const WATCHED = new WeakSet<object>();

/** A handoff is an event of the run that it happens in: the agents after it work on the same task. Once per runner. */
export function watchHandoffs(runner: unknown): void {
  const on = memberOf(runner, "on");
  if (typeof runner !== "object" || runner === null || typeof on !== "function" || WATCHED.has(runner)) return;
  WATCHED.add(runner);
  on.call(runner, "agent_handoff", (_context: unknown, from: unknown, to: unknown) => {
    const run = currentScope()?.run;
    if (run === undefined || run.closing !== undefined) return;
    const names = { from: textOf(memberOf(from, "name")), to: textOf(memberOf(to, "name")) };
    void recordEvent(run, "agent_handoff", names);
  });
}
