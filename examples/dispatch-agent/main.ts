/** `node examples/dispatch-agent/main.ts`: the good runs and the silent failures of an agent that has a carrier label parcels. */
import { runExample } from "../scenarios/run-example.ts";
import { dispatchExample } from "./scenarios.ts";

process.exitCode = await runExample(dispatchExample);
