/** `node examples/ledger-agent/main.ts`: the good runs and the silent failures of an agent that reads invoices from a supplier's portal. */
import { runExample } from "../scenarios/run-example.ts";
import { ledgerExample } from "./scenarios.ts";

process.exitCode = await runExample(ledgerExample);
