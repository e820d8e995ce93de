import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BOUNDARY_KINDS, type BoundaryKind, type BoundaryOptions } from "../../instrumentation/auto/boundary/index.ts";
import type { InstrumentationConfig } from "../../instrumentation/config-file/shared-sections.ts";
import type { Environment } from "../../instrumentation/environment.ts";

export interface BoundarySources {
  readonly env: Environment;
  readonly config: InstrumentationConfig;
  readonly cwd: string;
  /** Told what is wrong with a variable; its default holds then. */
  readonly warn: (message: string) => void;
}

/** `RUNPROOF_BOUNDARY` and `RUNPROOF_AGENT_NAME` over the configuration; service and package name where neither says. */
export const boundaryOptions = ({ env, config, cwd, warn }: BoundarySources): BoundaryOptions => ({
  boundaries: boundariesFrom(env["RUNPROOF_BOUNDARY"], warn) ?? config.boundary,
  agentName: env["RUNPROOF_AGENT_NAME"]?.trim() || config.agentName,
  fallbackName: env["OTEL_SERVICE_NAME"]?.trim() || packageName(cwd),
});

/** `process,http`; `none` opens no run. */
function boundariesFrom(text: string | undefined, warn: (message: string) => void): BoundaryKind[] | undefined {
  const words = (text ?? "").split(",").flatMap((word) => word.trim() || []);
  if (words.length === 0) return undefined;
  const known = BOUNDARY_KINDS.filter((kind) => words.includes(kind));
  const unknown = words.filter((word) => word !== "none" && !known.includes(word as BoundaryKind));
  if (unknown.length > 0) {
    warn(`RUNPROOF_BOUNDARY knows ${BOUNDARY_KINDS.join(", ")} and none; not ${JSON.stringify(unknown.join(","))}`);
  }
  return known;
}

/** Of the nearest package.json, from the working folder upwards. */
function packageName(directory: string): string | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const name = nameIn(join(at, "package.json"));
    if (name !== undefined || dirname(at) === at) return name;
  }
}

function nameIn(path: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(path, "utf8")) as { readonly name?: unknown };
    return typeof name === "string" && name !== "" ? name : undefined;
  } catch {
    return undefined;
  }
}
