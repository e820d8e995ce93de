/** `node examples/browser-agent/main.ts`: the good runs and the silent failures of an agent that looks prices up in a real browser. */
import { runExample } from "../scenarios/run-example.ts";
import { browserExample } from "./scenarios.ts";

process.exitCode = await runExample(browserExample);
