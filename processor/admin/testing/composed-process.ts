import { startComposedService, type ComposedOptions } from "./composed-service.ts";

/** The composed service as a process: tells its addresses over IPC, ends in order at SIGTERM. The argument is its options. */
const service = await startComposedService(JSON.parse(process.argv[2] ?? "{}") as ComposedOptions);
process.once("SIGTERM", () => {
  void service.shutdown().then(() => {
    process.disconnect?.();
    process.exitCode = 0;
  });
});
process.send?.({ otlpUrl: service.otlpUrl, adminUrl: service.adminUrl, enginePid: service.engine.pid() });
