/** `node examples/pricing-agent/main.ts`: the good runs and the silent failures of an agent that writes price lists from exchange rates. */
import { runExample } from "../scenarios/run-example.ts";
import { pricingExample } from "./scenarios.ts";

process.exitCode = await runExample(pricingExample);
