import type { ScopeSource } from "./scope-source.ts";

export interface RuntimeSourceOptions {
  /** What the command line or the caller says; wins over the variable. */
  readonly flag?: string | undefined;
  /** Read anew each time. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Name of the variable. */
  readonly variable: string;
}

/**
 * The runtime override: a flag, else an environment variable. Set and empty is no scope, so it is not absent: a variable
 * that a script failed to fill must not send its work to the default.
 */
export function createRuntimeSource({ flag, env, variable }: RuntimeSourceOptions): ScopeSource {
  return {
    read() {
      const fromEnv = env[variable];
      const scope = flag ?? fromEnv;
      if (scope === undefined) return { kind: "absent", version: "" };
      const shadowed = fromEnv === undefined || fromEnv === scope ? {} : { shadowed: [fromEnv] };
      return { kind: "present", scope, version: JSON.stringify([flag ?? null, fromEnv ?? null]), ...shadowed };
    },
  };
}
