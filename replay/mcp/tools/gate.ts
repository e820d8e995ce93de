import { z } from "zod";
import { gateCommand } from "../../commands/gate.ts";
import { runVerb } from "../run-verb.ts";
import { defineTool, READS } from "../tool.ts";
import { verbAnswer } from "../verb-answer.ts";

export const gateTool = defineTool({
  name: "gate",
  title: "Health gate",
  description:
    "Whether the system may be called healthy now: open, or closed with every reason. It is closed while proofs fail, are " +
    "stale or missing, runs were abandoned, or the monitor is silent; also when nobody answers.",
  access: "read",
  hints: READS,
  input: z.strictObject({}),
  limitSeconds: 30,
  async run(_args, { context, project }) {
    const flags = { json: true, ...(project !== undefined && { project }) } as const;
    const asked = await runVerb((it) => gateCommand(flags, it), context);
    return verbAnswer(asked, {
      ...(asked.outcome === "environment" && { advice: NOBODY }),
      ...(asked.outcome === "finding" && { advice: CLOSED }),
    });
  },
});

const NOBODY = [
  "Nobody answers for the gate, so it is closed. Check that the service runs (runproof serve) and that " +
    "RUNPROOF_OPERATIONS_URL names its operations endpoint.",
];
const CLOSED = ["The gate is closed: untrusted_data.reasons says why. Mend what they name; do not override the gate."];
