import { readFileSync, writeFileSync } from "node:fs";
import { ACCEPTED } from "../../outcome.ts";
import type { BodyConsumer } from "../body-consumer.ts";
import { createByteBudget } from "../byte-budget.ts";
import { createOtlpGrpcReceiver } from "../otlp-grpc-receiver.ts";
import { createOtlpHttpReceiver } from "../otlp-http-receiver.ts";
import { DEFAULT_RECEIVER_LIMITS } from "../receiver-limits.ts";
import type { ReceiverFigures, ReceiverProcessOptions } from "./running-receivers.ts";

/**
 * Both receivers with one budget. The argument is JSON of `ReceiverProcessOptions`. Says `{httpPort, grpcPort}` over IPC,
 * and answers each message with its figures.
 */
const { sink = "bodies", limits = {} } = JSON.parse(process.argv[2] ?? "{}") as ReceiverProcessOptions;
const budget = createByteBudget(limits.maxBytesInMemory ?? DEFAULT_RECEIVER_LIMITS.maxBytesInMemory);
let records = 0;
let defects = 0;
const consume = async (rows: readonly unknown[]) => {
  records += rows.length;
  return ACCEPTED;
};
const bodies: BodyConsumer = {
  async consume(_body, summary) {
    records += summary.records;
    return ACCEPTED;
  },
};
const options = {
  port: 0,
  limits,
  budget,
  ...(sink === "bodies" ? { bodies } : { traces: { consume }, logs: { consume } }),
  onUnexpectedError: () => void defects++,
};

/** The kernel's own high-water mark, which can be set back; elsewhere the one of the whole life. */
function peakBytes(): number {
  const status = process.platform === "linux" ? readFileSync("/proc/self/status", "latin1") : "";
  const kib = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1];
  return (kib === undefined ? process.resourceUsage().maxRSS : Number(kib)) * 1024;
}

function resetPeak(): void {
  if (process.platform === "linux") writeFileSync("/proc/self/clear_refs", "5");
}

function figures(): ReceiverFigures {
  const { user, system } = process.cpuUsage();
  const cpuMillis = (user + system) / 1_000;
  return { records, defects, budgetBytes: budget.usedBytes, cpuMillis, peakBytes: peakBytes() };
}

const http = createOtlpHttpReceiver(options);
const grpc = createOtlpGrpcReceiver(options);
await Promise.all([http.start(), grpc.start()]);
process.on("message", (message) => {
  if (message === "reset") resetPeak();
  process.send?.(figures());
});
process.on("disconnect", () => process.exit());
process.send?.({ httpPort: http.address().port, grpcPort: grpc.address().port });
