import { ACCEPTED } from "../../outcome.ts";
import { createOtlpGrpcReceiver } from "../../receivers/otlp-grpc-receiver.ts";
import { createOtlpHttpReceiver } from "../../receivers/otlp-http-receiver.ts";

/**
 * A receiver in a process of its own, to be killed. Arguments: protocol and port. Says `{port}` over IPC, then the names of
 * the spans of each request, before it takes it.
 */
const [protocol, port = "0"] = process.argv.slice(2);
const create = protocol === "grpc" ? createOtlpGrpcReceiver : createOtlpHttpReceiver;
const receiver = create({
  port: Number(port),
  traces: {
    async consume(rows) {
      const names = rows.map(({ SpanName }) => SpanName);
      await new Promise((resolve) => void process.send?.({ names }, resolve));
      return ACCEPTED;
    },
  },
  logs: { consume: async () => ACCEPTED },
});
await receiver.start();
process.on("disconnect", () => process.exit());
process.send?.({ port: receiver.address().port });
