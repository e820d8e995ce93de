/** Environment variables as a dictionary. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Inherited because programs cannot be found or pseudonyms not be matched without them. Everything else stays out. */
const INHERITED = ["PATH", "NODE_ENV", "RUNPROOF_REDACTION_KEY", "RUNPROOF_CODE_VERSION"] as const;

export interface ChildEnvironmentOptions {
  readonly parent: Environment;
  /** Further variables to hand on, by name. */
  readonly passEnvironment: readonly string[];
  /** Base URL of the replay's receiver. */
  readonly otlpUrl: string;
  readonly fixtureId: string;
  readonly project: string;
  readonly serviceName: string;
  /** Folder with `home`, `state` and `tmp`. */
  readonly baseFolder: string;
}

/** The whole environment of the child: an allow-list, fixed locale and time zone, and where its telemetry goes. */
export function childEnvironment(options: ChildEnvironmentOptions): Record<string, string> {
  const { parent, baseFolder } = options;
  const inherited = [...INHERITED, ...options.passEnvironment].flatMap((name): [string, string][] => {
    const value = parent[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...Object.fromEntries(inherited),
    TZ: "UTC",
    LANG: "C.UTF-8",
    LC_ALL: "C.UTF-8",
    HOME: `${baseFolder}/home`,
    TMPDIR: `${baseFolder}/tmp`,
    NO_COLOR: "1",
    OTEL_EXPORTER_OTLP_ENDPOINT: options.otlpUrl,
    OTEL_SERVICE_NAME: options.serviceName || "runproof-replay",
    RUNPROOF_ENDPOINT: options.otlpUrl,
    RUNPROOF_RUN_TYPE: "replay",
    RUNPROOF_FIXTURE_ID: options.fixtureId,
    RUNPROOF_PROJECT: options.project || "default",
    RUNPROOF_STATE_DIR: `${baseFolder}/state`,
  };
}
