import { createMonitorStore } from "../../../processor/clickhouse/monitor-store.ts";
import type { CanaryResult } from "../../../processor/clickhouse/monitor-rows.ts";
import { createRunStore } from "../../../processor/clickhouse/run-store.ts";
import { createStore } from "../../../processor/clickhouse/store.ts";
import { clickhouseUrl, storeOptions } from "../../commands/open-store.ts";
import { loadConfig } from "../../config.ts";
import type { ToolCall } from "../tool.ts";

/** The newest canary of a fixture, of all tiers; `null`: none within a week. */
export type LastCanary = (fixtureId: string) => {
  readonly outcome: string;
  readonly tier: string;
  readonly at: string;
  readonly run_id: string;
  readonly explanation: string;
} | null;

const LOOK_BACK_MILLIS = 7 * 86_400_000;

/** Rejects when the store does not answer: that there was no canary is then not known. */
export async function lastCanaries({ context, project }: ToolCall): Promise<LastCanary> {
  const store = createStore(storeOptions(clickhouseUrl(undefined, context, await loadConfig(context.cwd)), context));
  const close = (): void => void store.close().catch(() => {});
  context.signal.addEventListener("abort", close, { once: true });
  try {
    const results = await createMonitorStore(store, createRunStore(store)).canaryResults(Date.now() - LOOK_BACK_MILLIS);
    const newest = new Map<string, CanaryResult>();
    for (const result of results) {
      if (project !== undefined && result.project !== project) continue;
      const known = newest.get(result.fixture_id);
      if (known === undefined || known.observed_at < result.observed_at) newest.set(result.fixture_id, result);
    }
    return (fixtureId) => summaryOf(newest.get(fixtureId));
  } finally {
    context.signal.removeEventListener("abort", close);
    await store.close();
  }
}

const summaryOf = (result: CanaryResult | undefined): ReturnType<LastCanary> =>
  result === undefined
    ? null
    : {
        outcome: result.outcome,
        tier: result.tier,
        at: new Date(result.observed_at).toISOString(),
        run_id: result.run_id,
        explanation: result.explanation,
      };
