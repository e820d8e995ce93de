import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { SpanRow } from "../../processor/clickhouse/rows.ts";
import { openOtlpTap } from "../sandbox/otlp-tap.ts";

export const reportAgent = new URL("./agents/report-agent.ts", import.meta.url).href;

/** Runs one export of the report agent for real, in a process of its own, and gives the spans it sent. */
export async function recordRun(exportName: string, endpoint?: string): Promise<readonly SpanRow[]> {
  const tap = await openOtlpTap();
  const cwd = await mkdtemp(join(tmpdir(), "runproof-record-"));
  try {
    const code = `const agent = await import(${JSON.stringify(reportAgent)}); await agent[process.argv[1]]({ topic: "otters" });`;
    const env = {
      PATH: process.env["PATH"],
      REPORT_AGENT_WORLD: "1",
      RUNPROOF_ENDPOINT: endpoint ?? tap.url,
      RUNPROOF_STATE_DIR: join(cwd, "state"),
    };
    await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code, exportName], { cwd, env });
    return [...tap.rows];
  } finally {
    await tap.close();
    await rm(cwd, { recursive: true, force: true });
  }
}
