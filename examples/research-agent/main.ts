/** `node examples/research-agent/main.ts`: the good runs and the silent failures of an agent that writes reports. */
import { runExample } from "../scenarios/run-example.ts";
import { researchExample } from "./scenarios.ts";

process.exitCode = await runExample(researchExample);
