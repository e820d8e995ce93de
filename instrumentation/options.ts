import type { RunType } from "./contract/run-record.ts";

/** What a programmer may set; everything else comes from the environment, then from the defaults. */
export interface RunproofOptions {
  /** OTLP/HTTP traces endpoint of the flush-now path; `null` sends nothing. Default `http://127.0.0.1:4318/v1/traces`. */
  readonly endpoint?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Project the runs belong to. Default `default`. */
  readonly project?: string;
  /** Default `unknown_service`, as in OpenTelemetry. */
  readonly serviceName?: string;
  /** Default `live`. */
  readonly runType?: RunType;
  /** Fixture that is being replayed. Default none. */
  readonly fixtureId?: string;
  /** Commit or release of the agent's code. Default none. */
  readonly codeVersion?: string;
  /**
   * Folder of the crash spool and the redaction key; `null` keeps nothing on disk.
   * Default `$XDG_STATE_HOME/runproof` or `~/.local/state/runproof`.
   */
  readonly stateDirectory?: string | null;
  /** How long a start, checkpoint or close may wait for its acknowledgement, milliseconds. Default 1,000. */
  readonly deadlineMillis?: number;
  /** How values are kept unless a tool says otherwise. Default `redacted`. */
  readonly capture?: "full" | "redacted" | "hash" | "none";
  /** Bytes of one captured value; a larger one is kept as its hash. Default 262,144. */
  readonly captureMaxBytes?: number;
  /** Key of the pseudonyms that replace secrets. Default: made once, kept in the state folder. */
  readonly redactionKey?: string;
  /** Ask the OpenTelemetry SDK to export what it holds when a run closes. Default true. */
  readonly flushOnClose?: boolean;
}

export type ResolvedOptions = Required<Omit<RunproofOptions, "redactionKey">> & {
  readonly redactionKey: string | undefined;
};

export type CapturePolicy = NonNullable<RunproofOptions["capture"]>;

export const DEFAULT_ENDPOINT = "http://127.0.0.1:4318/v1/traces";

const DEFAULTS: Omit<ResolvedOptions, "stateDirectory"> = {
  endpoint: DEFAULT_ENDPOINT,
  headers: {},
  project: "default",
  serviceName: "unknown_service",
  runType: "live",
  fixtureId: "",
  codeVersion: "",
  deadlineMillis: 1_000,
  capture: "redacted",
  captureMaxBytes: 262_144,
  redactionKey: undefined,
  flushOnClose: true,
};

/** Options in code win over the environment, the environment over the defaults. */
export function resolveOptions(
  code: RunproofOptions,
  environment: RunproofOptions,
  stateDirectory: string,
): ResolvedOptions {
  const given = Object.fromEntries(
    [...Object.entries(environment), ...Object.entries(code)].filter(([, value]) => value !== undefined),
  ) as RunproofOptions;
  return Object.freeze({ ...DEFAULTS, stateDirectory, ...given } as ResolvedOptions);
}
