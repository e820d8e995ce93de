import { resolve } from "node:path";
import { ConfigError as ServiceConfigError, loadServiceConfig, type ServiceConfig } from "../../processor/config.ts";
import { type Service, startService } from "../../processor/service.ts";
import { type AutoFixtures, createAutoFixtures } from "../fixture/auto-fixtures.ts";
import { safeLine } from "../safe-text.ts";
import { version } from "../version.ts";
import { EXIT } from "../worker/exit-codes.ts";
import type { CommandContext } from "./context.ts";
import { redactorOf } from "./redactor-of.ts";
import { UsageError } from "./run-command-line.ts";
import { canariesBeside } from "./serve-canaries.ts";

export interface ServeFlags {
  readonly port?: string;
  readonly host?: string;
  readonly grpcPort?: string;
  readonly clickhousePort?: string;
  readonly adminPort?: string;
  readonly dataDir?: string;
  readonly autoFixtures?: string;
  readonly autoFixturesPerHour?: string;
  readonly canary?: true;
}

/** `runproof serve`: runs until SIGINT or SIGTERM, then finishes what was accepted. */
export async function serve(flags: ServeFlags, context: CommandContext): Promise<number> {
  const log = (message: string): void => void context.stderr.write(`${safeLine(message, 2_000)}\n`);
  const config = serviceConfig(flags, context);
  const auto = autoFixtures(flags, context, log);
  const canariesOf = await canariesBeside(flags, context, log);
  const service = await startService(config, {
    log,
    version: version(),
    ...(auto && { onVerdict: auto.onVerdict }),
  });
  announce(service, config, context);
  try {
    // After all else is ready, and gone before anything is: their results need the service.
    const canaries = await canariesOf?.(service, config);
    await aborted(context.signal);
    context.stderr.write("stopping\n");
    await canaries?.shutdown();
  } finally {
    await service.shutdown();
  }
  return EXIT.ok;
}

function autoFixtures(
  flags: ServeFlags,
  context: CommandContext,
  log: (note: string) => void,
): AutoFixtures | undefined {
  const { autoFixtures: directory, autoFixturesPerHour: perHour } = flags;
  if (directory === undefined) return undefined;
  if (perHour !== undefined && !/^\d{1,5}$/.test(perHour)) {
    throw new UsageError("--auto-fixtures-per-hour must be 0 to 99999");
  }
  const limit = perHour === undefined ? {} : { maxPerHour: Number(perHour) };
  const { json: redact } = redactorOf(context);
  return createAutoFixtures({ directory: resolve(context.cwd, directory), log, redact, ...limit });
}

function serviceConfig(flags: ServeFlags, context: CommandContext): ServiceConfig {
  try {
    return loadServiceConfig(context.env, {
      host: flags.host,
      otlpPort: flags.port,
      otlpGrpcPort: flags.grpcPort,
      clickhousePort: flags.clickhousePort,
      adminPort: flags.adminPort,
      dataDirectory: flags.dataDir,
    });
  } catch (error) {
    if (error instanceof ServiceConfigError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** Scripts wait for this; it comes when everything accepts connections. */
function announce(service: Service, config: ServiceConfig, context: CommandContext): void {
  context.stdout.write(
    `runproof is ready\n` +
      `  OTLP/HTTP   ${service.otlpUrl}\n` +
      `  OTLP/gRPC   ${service.otlpGrpcUrl}\n` +
      `  ClickHouse  ${service.clickhouseUrl}\n` +
      (service.adminUrl === undefined ? "" : `  operations  ${service.adminUrl}\n`) +
      `  data        ${resolve(context.cwd, config.dataDirectory)}\n`,
  );
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener("abort", () => done(), { once: true });
  });
