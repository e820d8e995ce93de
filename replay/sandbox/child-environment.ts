import { fileURLToPath } from "node:url";
import type { RunType } from "../../instrumentation/contract/run-record.ts";
import { WORLD_VARIABLE, worldText } from "./determinism/replay-world.ts";
import type { FixtureWorld } from "./determinism/world-of-fixture.ts";

/** Environment variables as a dictionary. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Inherited because programs cannot be found or pseudonyms not be matched without them. Everything else stays out. */
const INHERITED = ["PATH", "NODE_ENV", "RUNPROOF_REDACTION_KEY", "RUNPROOF_CODE_VERSION"] as const;

/** `canary`: a replay that a schedule asked for. */
export type ReplayRunType = Exclude<RunType, "live">;

export interface ChildEnvironmentOptions {
  readonly parent: Environment;
  /** Further variables to hand on, by name. */
  readonly passEnvironment: readonly string[];
  /** Base URL of the replay's receiver. */
  readonly otlpUrl: string;
  readonly fixtureId: string;
  /** What the agent's runs are stored as. Default `replay`. */
  readonly runType?: ReplayRunType | undefined;
  readonly project: string;
  readonly serviceName: string;
  /** Absent while nobody knows which fixture it will be; a process that waits enters its world later. */
  readonly world?: FixtureWorld;
  /** Folder with `home`, `state` and `tmp`. */
  readonly baseFolder: string;
}

/**
 * The whole environment of the child: an allow-list, the time zone, locale, clock and seed of its world, and where its
 * telemetry goes.
 */
export function childEnvironment(options: ChildEnvironmentOptions): Record<string, string> {
  const { parent, baseFolder, world } = options;
  const locale = localeVariable(world?.locale);
  const inherited = [...INHERITED, ...options.passEnvironment].flatMap((name): [string, string][] => {
    const value = parent[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...Object.fromEntries(inherited),
    TZ: world?.timeZone ?? "UTC",
    LANG: locale,
    LC_ALL: locale,
    NODE_OPTIONS: nodeOptions(options),
    [WORLD_VARIABLE]: worldText({ startUnixMillis: 0, seed: "", ...world, origin: "" }),
    HOME: `${baseFolder}/home`,
    TMPDIR: `${baseFolder}/tmp`,
    NO_COLOR: "1",
    OTEL_EXPORTER_OTLP_ENDPOINT: options.otlpUrl,
    OTEL_SERVICE_NAME: options.serviceName || "runproof-replay",
    RUNPROOF_ENDPOINT: options.otlpUrl,
    RUNPROOF_RUN_TYPE: options.runType ?? "replay",
    RUNPROOF_FIXTURE_ID: options.fixtureId,
    RUNPROOF_PROJECT: options.project || "default",
    RUNPROOF_STATE_DIR: `${baseFolder}/state`,
  };
}

/** BCP 47 as the C library spells it; `en-US-u-va-posix` is what the C locale looks like from inside. */
function localeVariable(locale = "en-US-u-va-posix"): string {
  const [base = "", extension] = locale.split("-u-");
  return extension === "va-posix" ? "C.UTF-8" : `${base.replaceAll("-", "_")}.UTF-8`;
}

// Required and not imported: a thread that evaluates text loads no modules ahead. From sources or built.
const PRELOAD = fileURLToPath(
  new URL(`./determinism/preload.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url),
);

/** Reaches every process and thread of Node that the agent starts. */
function nodeOptions({ parent, passEnvironment }: ChildEnvironmentOptions): string {
  const passed = passEnvironment.includes("NODE_OPTIONS") ? parent["NODE_OPTIONS"] : undefined;
  const stripping = PRELOAD.endsWith(".ts") && !process.features.typescript ? ["--experimental-strip-types"] : [];
  return [...stripping, `--require=${JSON.stringify(PRELOAD)}`, ...(passed ? [passed] : [])].join(" ");
}
