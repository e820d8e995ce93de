import { type StoreReport, checkStore } from "../../processor/clickhouse/check/check-store.ts";
import { type StoreSettings, storeSettingsFromEnv } from "../../processor/clickhouse/store-config.ts";
import { loadServiceConfig, type ServiceConfig } from "../../processor/config.ts";
import { safeJson, safeLine } from "../safe-text.ts";
import { EXIT } from "../worker/exit-codes.ts";
import type { CommandContext } from "./context.ts";
import { UsageError } from "./run-command-line.ts";

const MAX_LINE = 1_000;

export interface StoreCheckFlags {
  readonly json?: true;
  readonly clickhouseUrl?: string;
}

/** `runproof store check`: 0 when the service can work with the store, 1 when it found something, 3 without an answer. */
export async function checkStoreCommand(flags: StoreCheckFlags, context: CommandContext): Promise<number> {
  const { config, settings } = await configured(flags, context);
  const target = targetFrom(config);
  const report = await checkStore({ ...target, ...settings.options, retention: settings.retention });
  context.stdout.write(flags.json ? safeJson(report) : reportText(report));
  return report.findings.length === 0 ? EXIT.ok : EXIT.finding;
}

interface Configured {
  readonly config: ServiceConfig;
  readonly settings: StoreSettings;
}

async function configured(flags: StoreCheckFlags, context: CommandContext): Promise<Configured> {
  try {
    const config = loadServiceConfig(context.env, { clickhouseUrl: flags.clickhouseUrl });
    return { config, settings: await storeSettingsFromEnv(context.env) };
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** The embedded engine lets everybody but the service read only, and has no other user to ask rights of. */
function targetFrom(config: ServiceConfig) {
  if (config.clickhouseUrl === undefined) {
    const host = config.host.includes(":") ? `[${config.host}]` : config.host;
    return { url: `http://${host}:${config.clickhousePort}`, asReader: true };
  }
  return {
    url: config.clickhouseUrl,
    username: config.clickhouseUser,
    password: config.clickhousePassword,
    database: config.clickhouseDatabase,
  };
}

function reportText({ url, database, cluster, version, user, findings }: StoreReport): string {
  const of = cluster === null ? "" : `, cluster ${cluster}`;
  const head = `store ${url}, database ${database}${of}, user ${user}, ClickHouse ${version ?? "of unknown version"}`;
  const lines = findings.flatMap(({ code, subject, problem, advice }) => [
    `${code.padEnd(10)}${safeLine(`${subject}: ${problem}`, MAX_LINE)}`,
    `${" ".repeat(10)}-> ${safeLine(advice, MAX_LINE)}`,
  ]);
  const count = findings.length === 1 ? "1 finding" : `${findings.length || "no"} findings`;
  return `${[safeLine(head), ...lines, count].join("\n")}\n`;
}
