/** `node examples/queue-worker/main.ts`: the good runs and the silent failures of an agent that works off a real queue table. */
import { runExample } from "../scenarios/run-example.ts";
import { queueExample } from "./scenarios.ts";

process.exitCode = await runExample(queueExample);
