import { createRunStore } from "../../processor/clickhouse/run-store.ts";
import { createStore, type StoreOptions } from "../../processor/clickhouse/store.ts";
import type { LoadedConfig } from "../config.ts";
import type { RunStore } from "../../processor/run/run-store.ts";
import type { CommandContext } from "./context.ts";

export const DEFAULT_CLICKHOUSE_URL = "http://127.0.0.1:8123";
export const DEFAULT_OTLP_URL = "http://127.0.0.1:4318";

/** Flag, then environment, then configuration, then default. */
export const clickhouseUrl = (
  flag: string | undefined,
  context: Pick<CommandContext, "env">,
  loaded: LoadedConfig,
): string =>
  flag ??
  (context.env["RUNPROOF_CLICKHOUSE_URL"] || undefined) ??
  loaded.config.clickhouseUrl ??
  DEFAULT_CLICKHOUSE_URL;

/** The same for the service; `null` where the environment turns sending off. */
export function otlpUrl(
  flag: string | undefined,
  context: Pick<CommandContext, "env">,
  loaded: LoadedConfig,
): string | null {
  const fromEnv = context.env["RUNPROOF_ENDPOINT"] || context.env["OTEL_EXPORTER_OTLP_ENDPOINT"] || undefined;
  const url = flag ?? fromEnv ?? loaded.config.otlpEndpoint ?? DEFAULT_OTLP_URL;
  return url === "off" ? null : url;
}

/** Who asks decides what is seen: with tokens one project, or all of them. */
export function storeOptions(url: string, { env }: Pick<CommandContext, "env">): StoreOptions {
  const { RUNPROOF_CLICKHOUSE_USER: username, RUNPROOF_CLICKHOUSE_PASSWORD: password } = env;
  return { url, ...(username ? { username } : {}), ...(password ? { password } : {}) };
}

/** What went wrong, with the address and where it comes from. */
export function storeTrouble(url: string, cause: unknown): Error {
  const advice = "start it with runproof serve, or name it with --clickhouse-url";
  return new Error(`the store at ${url} cannot be read; ${advice}`, { cause });
}

/** Reads with the store at `url` and closes it. What goes wrong is told with the address, and where it comes from. */
export async function withStore<Result>(
  url: string,
  context: CommandContext,
  work: (runs: RunStore) => Promise<Result>,
): Promise<Result> {
  const store = createStore(storeOptions(url, context));
  const close = (): void => void store.close().catch(() => {});
  context.signal.addEventListener("abort", close, { once: true });
  try {
    return await work(createRunStore(store));
  } catch (error) {
    throw storeTrouble(url, error);
  } finally {
    context.signal.removeEventListener("abort", close);
    await store.close();
  }
}
