import { readFile } from "node:fs/promises";
import { z } from "zod";
import { numeric } from "../numeric-setting.ts";
import type { GatePolicy } from "./gate/gate-input.ts";

/** Flags and variables come as text. */
const flag = z.preprocess((value) => (value === "true" ? true : value === "false" ? false : value), z.boolean());
const count = numeric(z.int().min(0).max(1_000_000));

const names = z.preprocess(
  (value) => (typeof value === "string" ? value.split(",").map((name) => name.trim()) : value),
  z.array(z.string().min(1).max(100)).min(1).max(20),
);

/** The monitor's, the alerts' and the gate's part of the service configuration, to spread into its schema. */
export const monitorConfigShape = {
  /** Between two looks at the store; figures older than two of these close the gate. */
  monitorIntervalSeconds: numeric(z.number().min(0.5).max(3_600)).default(15),
  /** Production runs of the last so many minutes count for the gate. */
  monitorRunWindowMinutes: numeric(z.number().min(1).max(10_080)).default(60),
  /** How far back the first bad run of a failure class is looked for. */
  alertLookBackDays: numeric(z.number().min(1).max(365)).default(30),
  /** JSON `[{ "url", "secret" }]`, or a file of it: who is told of alerts. Default: nobody. */
  webhooks: z.string().min(1).optional(),
  /** Let webhooks lead to private addresses and to this machine, and there without TLS. */
  webhookAllowPrivate: flag.default(false),
  webhookTimeoutSeconds: numeric(z.number().min(0.1).max(60)).default(10),
  /** Tiers whose canaries must prove themselves, separated by commas. */
  gateTiers: names.default(["critical"]),
  /** Open the gate although no certified fixture proves anything. */
  gateAllowNoFixtures: flag.default(false),
  /** Abandoned production runs of the window that are put up with. */
  gateMaxAbandonedRuns: count.default(0),
  /** The same for runs that ended without proof of what their contract promised. */
  gateMaxUnverifiedRuns: count.default(0),
  /** An alert that fires closes the gate. */
  gateAlertsClose: flag.default(true),
} as const;

const fragment = z.object(monitorConfigShape);
export type MonitorConfig = Readonly<z.output<typeof fragment>>;

/** Variable of each key, to merge into the service's table. */
export const MONITOR_VARIABLES: Readonly<Record<string, keyof MonitorConfig>> = {
  RUNPROOF_MONITOR_INTERVAL_SECONDS: "monitorIntervalSeconds",
  RUNPROOF_MONITOR_RUN_WINDOW_MINUTES: "monitorRunWindowMinutes",
  RUNPROOF_ALERT_LOOK_BACK_DAYS: "alertLookBackDays",
  RUNPROOF_WEBHOOKS: "webhooks",
  RUNPROOF_WEBHOOK_ALLOW_PRIVATE: "webhookAllowPrivate",
  RUNPROOF_WEBHOOK_TIMEOUT_SECONDS: "webhookTimeoutSeconds",
  RUNPROOF_GATE_TIERS: "gateTiers",
  RUNPROOF_GATE_ALLOW_NO_FIXTURES: "gateAllowNoFixtures",
  RUNPROOF_GATE_MAX_ABANDONED_RUNS: "gateMaxAbandonedRuns",
  RUNPROOF_GATE_MAX_UNVERIFIED_RUNS: "gateMaxUnverifiedRuns",
  RUNPROOF_GATE_ALERTS_CLOSE: "gateAlertsClose",
};

export const gatePolicyFrom = (config: MonitorConfig): GatePolicy => ({
  tiers: config.gateTiers,
  allowNoFixtures: config.gateAllowNoFixtures,
  maxAbandonedRuns: config.gateMaxAbandonedRuns,
  maxUnverifiedRuns: config.gateMaxUnverifiedRuns,
  alertsClose: config.gateAlertsClose,
});

export interface WebhookConfig {
  readonly url: URL;
  readonly secret: string;
}

const SECRET = "must be whsec_ and base64 of 24 to 64 bytes, or any text of at least 24 characters";

const webhookList = z
  .array(
    z.strictObject({
      url: z.url({ protocol: /^https?$/, error: "must be an http(s) address" }),
      secret: z.string().max(1_024).refine(isSecret, { error: SECRET }),
    }),
  )
  .max(20);

function isSecret(secret: string): boolean {
  if (!secret.startsWith("whsec_")) return secret.length >= 24;
  const bytes = Buffer.from(secret.slice(6), "base64").length;
  return /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(secret) && bytes >= 24 && bytes <= 64;
}

/** Reads the list, or the file it is in. @throws Error that names every problem and no secret */
export async function webhooksFrom({ webhooks }: Pick<MonitorConfig, "webhooks">): Promise<WebhookConfig[]> {
  if (webhooks === undefined) return [];
  const isText = webhooks.trimStart().startsWith("[");
  const source = isText ? "the JSON" : `the file ${webhooks}`;
  const text = isText
    ? webhooks
    : await readFile(webhooks, "utf8").catch((cause: unknown) => unreadable(source, cause));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, and with it a secret.
    throw new Error(`webhooks: ${source} is not JSON`);
  }
  const parsed = webhookList.safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `  - ${path.join(".") || "webhooks"}: ${message}`);
    throw new Error(`webhooks: ${source} is not valid:\n${problems.join("\n")}`);
  }
  return parsed.data.map(({ url, secret }) => ({ url: new URL(url), secret }));
}

function unreadable(source: string, cause: unknown): never {
  throw new Error(`webhooks: ${source} cannot be read`, { cause });
}
