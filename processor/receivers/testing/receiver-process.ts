import { ACCEPTED } from "../../outcome.ts";
import { createByteBudget } from "../byte-budget.ts";
import { createOtlpGrpcReceiver } from "../otlp-grpc-receiver.ts";
import { createOtlpHttpReceiver } from "../otlp-http-receiver.ts";
import type { ReceiverLimits } from "../receiver-limits.ts";
import { DEFAULT_RECEIVER_LIMITS } from "../receiver-limits.ts";

/**
 * Both receivers with one budget, in a process of their own, whose memory is theirs alone. The argument is JSON of
 * limits. Says `{httpPort, grpcPort}` over IPC, and answers each message with its figures.
 */
const limits = JSON.parse(process.argv[2] ?? "{}") as Partial<ReceiverLimits>;
const budget = createByteBudget(limits.maxBytesInMemory ?? DEFAULT_RECEIVER_LIMITS.maxBytesInMemory);
let rows = 0;
let defects = 0;
const consume = async (batch: readonly unknown[]) => {
  rows += batch.length;
  return ACCEPTED;
};
const options = {
  port: 0,
  limits,
  budget,
  traces: { consume },
  logs: { consume },
  onUnexpectedError: () => void defects++,
};
function cpuMillis(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

const http = createOtlpHttpReceiver(options);
const grpc = createOtlpGrpcReceiver(options);
await Promise.all([http.start(), grpc.start()]);
process.on("message", () =>
  process.send?.({
    rows,
    defects,
    budgetBytes: budget.usedBytes,
    cpuMillis: cpuMillis(),
    peakBytes: process.resourceUsage().maxRSS * 1024,
  }),
);
process.on("disconnect", () => process.exit());
process.send?.({ httpPort: http.address().port, grpcPort: grpc.address().port });
