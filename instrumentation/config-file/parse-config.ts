import type { z } from "zod";
import { ConfigError } from "./config-error.ts";
import { contractsFrom } from "./contracts-from.ts";

/** Parses what a configuration's module exports, contracts included. Throws `ConfigError` with all problems at once. */
export function parseConfig<Schema extends z.ZodType>(path: string, value: unknown, schema: Schema): z.output<Schema> {
  if (value === undefined) throw new ConfigError(path, ["it has no default export"]);
  const parsed = schema.safeParse(value);
  const { problems } = contractsFrom((value as { readonly agents?: unknown } | null)?.agents);
  if (parsed.success && problems.length === 0) {
    Object.freeze(parsed.data);
    return parsed.data;
  }
  const issues = parsed.error?.issues ?? [];
  throw new ConfigError(
    path,
    [...issues.map((issue) => `${issue.path.map(String).join(".") || "config"}: ${issue.message}`), ...problems],
    { cause: parsed.error },
  );
}
