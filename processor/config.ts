import { z } from "zod";
import { OPERATIONS_VARIABLES, operationsConfigShape } from "./admin/index.ts";
import { STORE_VARIABLES, storeConfigShape } from "./clickhouse/store-config.ts";
import { FORWARD_VARIABLES, forwardConfigShape } from "./exporters/index.ts";
import { MONITOR_VARIABLES, monitorConfigShape } from "./monitor/monitor-config.ts";
import { numeric } from "./numeric-setting.ts";
import { RECEIVER_VARIABLES, receiverConfigShape } from "./receivers/receiver-config.ts";
import { SCOPE_VARIABLES, scopeConfigShape } from "./scope/index.ts";

const port = numeric(z.int().min(0).max(65_535));
const seconds = numeric(z.number().min(0).max(2_592_000));

const schema = z.strictObject({
  /** Address the receivers and the embedded engine listen on. */
  host: z.string().min(1).default("127.0.0.1"),
  /** OTLP/HTTP; 0 takes a free port. */
  otlpPort: port.default(4318),
  /** HTTP interface of the embedded engine; 0 takes a free port. */
  clickhousePort: port.default(8123),
  ...receiverConfigShape,
  ...operationsConfigShape,
  ...storeConfigShape,
  ...forwardConfigShape,
  ...monitorConfigShape,
  ...scopeConfigShape,
  dataDirectory: z.string().min(1).default(".runproof/data"),
  /** Bytes that were acknowledged and are not in the store yet; beyond it senders are told to come back. Default 4 GiB. */
  spoolMaxBytes: numeric(z.int().min(1_048_576)).default(4_294_967_296),
  /** A ClickHouse server to use instead of the embedded engine. */
  clickhouseUrl: z.url({ protocol: /^https?$/ }).optional(),
  clickhouseUser: z.string().min(1).default("default"),
  clickhousePassword: z.string().default(""),
  clickhouseDatabase: z.string().min(1).default("default"),
  /** Added to a run's timeout before the watchdog gives it up. */
  graceSeconds: seconds.default(60),
  /** How long an ended run waits for spans it announced. */
  settleSeconds: seconds.default(10),
  watchdogScanSeconds: numeric(z.number().min(0.05).max(3_600)).default(1),
  /**
   * JSON file: what agents promise that other instrumentations watch, contracts by agent name; `{}` records their runs
   * without a verdict. Default none, and then traces without a run of ours are stored and not judged.
   */
  contractsFile: z.string().min(1).optional(),
  /** How far back a start looks for runs that were not settled. */
  sweepDays: numeric(z.number().min(0).max(3_650)).default(7),
});

export type ServiceConfig = Readonly<z.output<typeof schema>>;

/** Configuration that does not hold; `problems` has all of them, each with its key. */
export class ConfigError extends Error {
  readonly code = "RUNPROOF_CONFIG_INVALID";
  readonly problems: readonly string[];
  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(`the configuration is not valid:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`, options);
    this.name = "ConfigError";
    this.problems = problems;
  }
}

const VARIABLES: Readonly<Record<string, keyof ServiceConfig>> = {
  ...RECEIVER_VARIABLES,
  ...OPERATIONS_VARIABLES,
  ...STORE_VARIABLES,
  ...FORWARD_VARIABLES,
  ...MONITOR_VARIABLES,
  ...SCOPE_VARIABLES,
  RUNPROOF_SPOOL_MAX_BYTES: "spoolMaxBytes",
  RUNPROOF_HOST: "host",
  RUNPROOF_OTLP_PORT: "otlpPort",
  RUNPROOF_CLICKHOUSE_PORT: "clickhousePort",
  RUNPROOF_DATA_DIR: "dataDirectory",
  RUNPROOF_CLICKHOUSE_SERVER_URL: "clickhouseUrl",
  RUNPROOF_CLICKHOUSE_SERVER_USER: "clickhouseUser",
  RUNPROOF_CLICKHOUSE_SERVER_PASSWORD: "clickhousePassword",
  RUNPROOF_CLICKHOUSE_SERVER_DATABASE: "clickhouseDatabase",
  RUNPROOF_GRACE_SECONDS: "graceSeconds",
  RUNPROOF_SETTLE_SECONDS: "settleSeconds",
  RUNPROOF_WATCHDOG_SCAN_SECONDS: "watchdogScanSeconds",
  RUNPROOF_SWEEP_DAYS: "sweepDays",
  RUNPROOF_CONTRACTS_FILE: "contractsFile",
};

/** Flags win over the environment, the environment over the defaults. Throws `ConfigError` with every problem. */
export function loadServiceConfig(
  env: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, unknown>> = {},
): ServiceConfig {
  const fromEnv = Object.entries(VARIABLES).flatMap(([variable, key]): [string, string][] =>
    env[variable] === undefined || env[variable] === "" ? [] : [[key, env[variable]]],
  );
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  const parsed = schema.safeParse(Object.fromEntries([...fromEnv, ...given]));
  if (parsed.success) return Object.freeze(parsed.data);
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "configuration"}: ${issue.message}`);
  throw new ConfigError(problems, { cause: parsed.error });
}
