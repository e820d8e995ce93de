import type { ChannelRecord } from "../record-channel.ts";
import type { OpenRun } from "../spool-file.ts";

export const sampleSpanId = (n: number): string => n.toString(16).padStart(16, "0");

export const sampleRecord = (n: number, text = "x"): ChannelRecord => ({
  runId: `run-${n}`,
  event: "start",
  span: {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: sampleSpanId(n),
    name: "runproof.run start",
    timeUnixNano: "1763715054000000000",
    attributes: { text, "runproof.run.id": `run-${n}` },
  },
});

export const sampleRun = (n: number): OpenRun => ({
  runId: `run-${n}`,
  traceId: "0af7651916cd43dd8448eb211c80319c",
  rootSpanId: sampleSpanId(1_000 + n),
  attributes: { "gen_ai.agent.name": "tester" },
});
