import { join } from "node:path";
import { diag, type Tracer } from "@opentelemetry/api";
import { loadRedactionKey } from "./capture/redaction-key.ts";
import { createRedactor, type Redactor } from "./capture/redactor.ts";
import { localProject } from "./scope/run-project.ts";
import { defaultStateDirectory, optionsFromEnvironment } from "./environment.ts";
import { failOpen, failOpenAsync } from "./fail-open.ts";
import { resolveOptions, type ResolvedOptions, type RunproofOptions } from "./options.ts";
import { realNow, realRandomBytes, realRandomUUID } from "./real-sources.ts";
import * as semconv from "./semconv.ts";
import { currentTracer } from "./tracer-source.ts";
import { createRecordChannel, type RecordChannel } from "./transport/record-channel.ts";
import type { RecordResource } from "./transport/record-span.ts";

/** What all runs of this process share. */
export interface Runtime {
  readonly options: ResolvedOptions;
  readonly redactor: Redactor;
  readonly channel: RecordChannel;
  /** What sends: service, instance, project. */
  readonly resource: RecordResource;
  /** Resolves when the crash spools of dead processes were sent, or could not be. */
  readonly resent: Promise<void>;
  tracer(): Tracer;
  /** Nanoseconds since the epoch; every answer is later than the one before. */
  nowUnixNano(): bigint;
}

// One runtime a process: a second copy of the package must not open a second spool or another redaction key.
const SLOT = Symbol.for("runproof.runtime");
const slots = globalThis as unknown as Record<symbol, Runtime | undefined>;

/** The runtime, made from the environment on first use. */
export function runtime(): Runtime {
  return (slots[SLOT] ??=
    failOpen("reading the environment", () => createRuntime({}), undefined) ?? createRuntime(NOTHING));
}

/** Records nowhere: what is left when the environment cannot be used. */
const NOTHING: RunproofOptions = { endpoint: null, stateDirectory: null };

/**
 * Sets options in code, before the first run. Runs that are open keep the runtime they started with.
 */
export function configure(options: RunproofOptions): void {
  slots[SLOT] = createRuntime(options);
}

/** Closes the runtime, if there is one; the next use makes another from the environment as it then is. */
export function resetRuntime(): void {
  slots[SLOT]?.channel.close();
  slots[SLOT] = undefined;
}

function createRuntime(code: RunproofOptions): Runtime {
  const env = process.env;
  const options = resolveOptions(code, projectScoped(code, optionsFromEnvironment(env)), defaultStateDirectory(env));
  const key =
    options.stateDirectory === null
      ? (options.redactionKey ?? realRandomBytes(32))
      : loadRedactionKey({ stateDirectory: options.stateDirectory, fromOptions: options.redactionKey });
  const resource = {
    attributes: {
      [semconv.ATTR_SERVICE_NAME]: options.serviceName,
      [semconv.ATTR_SERVICE_INSTANCE_ID]: realRandomUUID(),
      [semconv.ATTR_PROJECT]: options.project,
      "process.pid": process.pid,
    },
  };
  const channel = createRecordChannel({
    endpoint: options.endpoint,
    headers: options.headers,
    deadlineMillis: options.deadlineMillis,
    spoolDirectory: options.stateDirectory === null ? null : join(options.stateDirectory, "spool"),
    resource,
    onDiagnostic: (message: string) => diag.warn(`runproof: ${message}`),
  });
  // What a dead process left behind is sent by the next one, without making it wait.
  const resent = failOpenAsync("sending the crash spool", async () => void (await channel.resendPrevious()), undefined);
  return {
    options,
    redactor: createRedactor({ key }),
    channel,
    resource,
    resent,
    tracer: currentTracer,
    nowUnixNano: createClock(),
  };
}

/** Runtime override, local persisted scope, default: the same precedence as everywhere (`runproof scope`). */
function projectScoped(code: RunproofOptions, environment: RunproofOptions): RunproofOptions {
  if ((code.project ?? environment.project) !== undefined) return environment;
  const project = failOpen("reading the project scope", () => localProject(process.env, process.cwd()), undefined);
  return project === undefined ? environment : { ...environment, project };
}

/** Wall time, strictly rising: of two calls within one millisecond it must stay known which was the later one. */
function createClock(): () => bigint {
  let last = 0n;
  return () => {
    const now = BigInt(realNow()) * 1_000_000n;
    last = now > last ? now : last + 1n;
    return last;
  };
}
