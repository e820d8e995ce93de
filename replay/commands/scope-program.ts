import type { Command } from "commander";
import { RECONCILE_POLICIES, SCOPE_STAGES } from "../../instrumentation/scope/scope-stage.ts";
import type { CommandContext } from "./context.ts";
import { action } from "./run-command-line.ts";
import {
  type ScopeFlags,
  scopeReconcile,
  type ScopeReconcileFlags,
  scopeResolve,
  scopeStatus,
  scopeUndo,
} from "./scope.ts";

const EXIT_HELP = `
Exit codes:
  0  SYNCED and authorised; undo: put back, or nothing to put back
  1  DRIFTED or not authorised; reconcile and undo: refused, or somebody else wrote
  2  wrong usage or configuration
  3  a source or the authoriser did not answer, or it is not known what was written`;

/** `runproof scope status|resolve|reconcile|undo`. */
export function addScope(program: Command, context: CommandContext): void {
  const scope = program
    .command("scope")
    .description("the project runproof works in: where it is said, and whether all agree");
  const verb = (name: string, description: string): Command =>
    scope
      .command(name)
      .description(description)
      .option("--project <name>", "runtime override; default RUNPROOF_PROJECT")
      .option(
        "--stage <stage>",
        `${SCOPE_STAGES.join(", ")}; default RUNPROOF_SCOPE_STAGE, the configuration, or observe`,
      )
      .option(
        "--url <url>",
        "operations endpoint of the service; default RUNPROOF_OPERATIONS_URL or http://127.0.0.1:9464",
      )
      .option("--json", "print one JSON document")
      .addHelpText("after", EXIT_HELP);
  verb("status", "compare runtime, local and cloud with the resolved scope; changes nothing").action(
    action(program, (flags: ScopeFlags) => scopeStatus(flags, context)),
  );
  verb("resolve", "print the scope to work in, if it is authorised; for scripts").action(
    action(program, (flags: ScopeFlags) => scopeResolve(flags, context)),
  );
  verb("reconcile", "make one source agree, as far as the stage allows; keeps what was there")
    .requiredOption("--policy <policy>", RECONCILE_POLICIES.join(", "))
    .action(action(program, (flags: ScopeReconcileFlags) => scopeReconcile(flags, context)));
  verb("undo", "put back what the newest write replaced, if nobody wrote since").action(
    action(program, (flags: ScopeFlags) => scopeUndo(flags, context)),
  );
}
