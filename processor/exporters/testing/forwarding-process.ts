import { type ForwardingSettings, startForwarding } from "./forwarding-collector.ts";

/**
 * A forwarding collector in a process of its own, to be killed. The argument is JSON of its settings. Says `{port}` over
 * IPC, and answers each message with its statistics.
 */
const collector = await startForwarding(JSON.parse(process.argv[2] ?? "{}") as ForwardingSettings);
process.on("message", () => process.send?.({ stats: collector.forward.stats() }));
process.on("disconnect", () => process.exit());
process.send?.({ port: collector.port });
