import { dirname } from "node:path";
import { loadRedactionKey } from "../../instrumentation/capture/redaction-key.ts";
import { createRedactor, type Redactor } from "../../instrumentation/capture/redactor.ts";
import { redactionKeyFile } from "./agent-module.ts";
import type { CommandContext } from "./context.ts";

/** Redacts with the key that replays on this machine redact with, so that both sides of a match look alike. */
export const redactorOf = (context: Pick<CommandContext, "env">): Redactor =>
  createRedactor({
    key: loadRedactionKey({
      stateDirectory: dirname(redactionKeyFile(context)),
      fromOptions: context.env["RUNPROOF_REDACTION_KEY"],
    }),
  });
