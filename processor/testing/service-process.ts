/** The service in a process of its own, to be killed: `node service-process.ts <settings as JSON>`. Prints where it listens. */
import { loadServiceConfig } from "../config.ts";
import { startService } from "../service.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as Record<string, unknown>;
const service = await startService(loadServiceConfig({}, settings));
const { otlpUrl, otlpGrpcUrl, clickhouseUrl } = service;
process.stdout.write(`${JSON.stringify({ otlpUrl, otlpGrpcUrl, clickhouseUrl, enginePid: service.enginePid() })}\n`);
