/** `node examples/coding-agent/main.ts`: the good runs and the silent failures of an agent that changes a real git repository. */
import { runExample } from "../scenarios/run-example.ts";
import { codingExample } from "./scenarios.ts";

process.exitCode = await runExample(codingExample);
