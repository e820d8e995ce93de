/** `node examples/oncall-agent/main.ts`: the good runs and the silent failures of an agent that alerts people to failures. */
import { runExample } from "../scenarios/run-example.ts";
import { oncallExample } from "./scenarios.ts";

process.exitCode = await runExample(oncallExample);
