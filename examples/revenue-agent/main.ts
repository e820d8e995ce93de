/** `node examples/revenue-agent/main.ts`: the good runs and the silent failures of an agent that charges and refunds at a payment endpoint. */
import { runExample } from "../scenarios/run-example.ts";
import { revenueExample } from "./scenarios.ts";

process.exitCode = await runExample(revenueExample);
