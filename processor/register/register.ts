/** `node --import runproof/register agent.js`: instruments an agent without a change to its code. Never throws into it. */
import { failOpenAsync } from "../../instrumentation/fail-open.ts";

// Once a process, however often it is named: on the command line, in NODE_OPTIONS, by a copy of the package.
const SLOT = Symbol.for("runproof.register");
const slots = globalThis as unknown as Record<symbol, true | undefined>;
if (slots[SLOT] !== true) {
  slots[SLOT] = true;
  await failOpenAsync(
    "instrumenting the process",
    async () => {
      const { instrumentProcess } = await import("./instrument-process.ts");
      await instrumentProcess();
    },
    undefined,
  );
}
