import { z } from "zod";
import { safeJson, safeLine } from "../safe-text.ts";
import { EXIT } from "../worker/exit-codes.ts";
import type { CommandContext } from "./context.ts";
import { personFrom, told } from "./gate.ts";
import { askOperations, errorOf } from "./operations-client.ts";
import { table } from "./table.ts";

export interface AlertsListFlags {
  readonly url?: string;
  readonly state?: string;
  readonly project?: string;
  readonly limit?: string;
  readonly json?: true;
}

const alert = z.looseObject({
  alert_id: z.string(),
  state: z.string(),
  agent_name: z.string(),
  failure_class: z.string(),
  code_version: z.string(),
  alerted_at: z.string(),
  run_count: z.number(),
  silent_failure_window_minutes: z.number(),
});
type Alert = z.output<typeof alert>;
const list = z.looseObject({ alerts: z.array(alert), total: z.number() });

/** `runproof alerts list` */
export async function listAlerts(flags: AlertsListFlags, context: CommandContext): Promise<number> {
  const { state, project, limit } = flags;
  const found = await alertsFrom({ state, project, limit }, { flags, context });
  if (typeof found === "number") return found;
  if (flags.json) context.stdout.write(safeJson(found));
  else if (found.length === 0) context.stderr.write("no alerts\n");
  else context.stdout.write(alertTable(found));
  return EXIT.ok;
}

/** `runproof alerts show <id>` */
export async function showAlert(
  id: string,
  flags: Pick<AlertsListFlags, "url" | "json">,
  context: CommandContext,
): Promise<number> {
  const found = await alertsFrom({ id }, { flags, context });
  if (typeof found === "number") return found;
  const [one] = found;
  if (one === undefined) {
    context.stderr.write(`error: there is no alert ${safeLine(id)} of the last 35 days\n`);
    return EXIT.finding;
  }
  const lines = Object.entries(one).map(
    ([name, value]) => `${name.padEnd(30)} ${safeLine(typeof value === "string" ? value : JSON.stringify(value))}\n`,
  );
  context.stdout.write(flags.json ? safeJson(one) : lines.join(""));
  return EXIT.ok;
}

export interface ResolveFlags {
  readonly url?: string;
  readonly reason: string;
  readonly by?: string;
  readonly json?: true;
}

/** `runproof alerts resolve <id>` */
export async function resolveAlert(id: string, flags: ResolveFlags, context: CommandContext): Promise<number> {
  const body = { id, by: personFrom(flags.by, context), reason: flags.reason };
  const answer = await askOperations({ url: flags.url, path: "/v1/alerts/resolve", body }, context);
  return told(answer, { flags, context, done: () => `alert ${id} is resolved` });
}

interface Asking {
  readonly flags: Pick<AlertsListFlags, "url">;
  readonly context: CommandContext;
}

/** The alerts, or the exit code when there is no answer; what was wrong has been said then. */
async function alertsFrom(
  query: Readonly<Record<string, string | undefined>>,
  { flags, context }: Asking,
): Promise<Alert[] | number> {
  const answer = await askOperations({ url: flags.url, path: "/v1/alerts", query }, context);
  if (answer.kind === "nobody") {
    context.stderr.write(`error: nobody answers at ${safeLine(answer.message)}\n`);
    return EXIT.environment;
  }
  const parsed = list.safeParse(answer.body);
  if (answer.status === 200 && parsed.success) return parsed.data.alerts;
  context.stderr.write(`error: ${safeLine(errorOf(answer))}\n`);
  return answer.status === 400 ? EXIT.usage : EXIT.environment;
}

const alertTable = (alerts: readonly Alert[]): string =>
  table(
    ["ALERTED (UTC)", "STATE", "AGENT", "FAILURE", "REVISION", "RUNS", "SILENT MIN", "ALERT"],
    alerts.map((one) => [
      one.alerted_at.slice(0, 19),
      one.state,
      one.agent_name || "-",
      one.failure_class || "-",
      one.code_version || "-",
      String(one.run_count),
      one.silent_failure_window_minutes.toFixed(1),
      one.alert_id,
    ]),
  );
