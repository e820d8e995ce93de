import { dirname, join, resolve } from "node:path";
import { createFileJournal } from "../../instrumentation/scope/file-journal.ts";
import { createFileSource } from "../../instrumentation/scope/file-source.ts";
import {
  fallbackFrom,
  PROJECT_SCOPE_FILE,
  PROJECT_SCOPE_JOURNAL,
  projectRuntimeSource,
} from "../../instrumentation/scope/project-scope.ts";
import type { ScopeDriftEvent } from "../../instrumentation/scope/scope-drift.ts";
import { isScopeName, SCOPE_NAME_RULE } from "../../instrumentation/scope/scope-name.ts";
import { createScopeResolver, type ScopeResolver } from "../../instrumentation/scope/scope-resolver.ts";
import { SCOPE_STAGES, type ScopeStage } from "../../instrumentation/scope/scope-stage.ts";
import { userIdentity } from "../../instrumentation/scope/user-identity.ts";
import type { CommandContext } from "../commands/context.ts";
import { otlpUrl } from "../commands/open-store.ts";
import { UsageError } from "../commands/run-command-line.ts";
import { storeHeaders } from "../commands/store-headers.ts";
import type { LoadedConfig } from "../config.ts";
import { sendDriftLog } from "./drift-log.ts";
import { authorizeByService, createServiceSource } from "./service-source.ts";

export interface OwnProjectScopeOptions {
  readonly context: Pick<CommandContext, "env" | "cwd">;
  readonly loaded: LoadedConfig;
  /** `--project`; wins over `RUNPROOF_PROJECT`. */
  readonly project?: string | undefined;
  /** Default as configured. */
  readonly stage?: string | undefined;
  /** Operations endpoint of the service. Default as configured. */
  readonly url?: string | undefined;
  /** Told of drift too, before the service is. */
  readonly onDrift?: (event: ScopeDriftEvent) => void;
}

const DEFAULT_URL = "http://127.0.0.1:9464";

/**
 * runproof's own project scope for the command line and the MCP server: `--project` or `RUNPROOF_PROJECT`, then
 * `.runproof/scope.json`, then what the service says to this credential, then the fallback. The service authorises; while
 * it cannot be reached nothing executes. Throws `UsageError` for settings that cannot be used.
 */
export function ownProjectScope(options: OwnProjectScopeOptions): ScopeResolver {
  const { context, loaded, project, onDrift } = options;
  const { env } = context;
  const section = loaded.config.scope ?? {};
  const file = resolve(loaded.directory, env["RUNPROOF_SCOPE_FILE"] || section.file || PROJECT_SCOPE_FILE);
  const service = serviceAddress(options);
  const events = otlpUrl(undefined, context, loaded);
  return createScopeResolver({
    sources: {
      runtime: projectRuntimeSource(project, env),
      local: createFileSource({ path: file }),
      cloud: createServiceSource(service),
    },
    authorize: authorizeByService(service),
    policy: {
      fallback: fallbackFrom(fallbackName(env["RUNPROOF_SCOPE_FALLBACK"] || section.fallback), userIdentity()),
    },
    stage: stageFrom(options.stage ?? (env["RUNPROOF_SCOPE_STAGE"] || section.stage)),
    journal: createFileJournal(join(dirname(file), PROJECT_SCOPE_JOURNAL)),
    async emit(event) {
      onDrift?.(event);
      if (events !== null) await sendDriftLog(event, Date.now(), { url: events, headers: storeHeaders(env, events) });
    },
  });
}

function serviceAddress({ context: { env }, loaded, url: flag }: OwnProjectScopeOptions) {
  const given = flag ?? (env["RUNPROOF_OPERATIONS_URL"] || loaded.config.scope?.operationsUrl || DEFAULT_URL);
  const url = given.replace(/\/+$/, "");
  const parsed = URL.parse(url);
  if (parsed === null || !["http:", "https:"].includes(parsed.protocol)) {
    throw new UsageError(`the service's address must be an http or https URL (--url, RUNPROOF_OPERATIONS_URL)`);
  }
  const token = env["RUNPROOF_OPERATIONS_TOKEN"];
  // The project's own credential, where there is one: it is what runs are sent with.
  return { url, headers: { ...(token && { authorization: `Bearer ${token}` }), ...storeHeaders(env, url) } };
}

function stageFrom(text: string | undefined): ScopeStage {
  const stage = SCOPE_STAGES.find((one) => one === (text ?? "observe"));
  if (stage === undefined) throw new UsageError(`the stage must be one of ${SCOPE_STAGES.join(", ")}`);
  return stage;
}

function fallbackName(text = "default"): string {
  if (isScopeName(text)) return text;
  throw new UsageError(`RUNPROOF_SCOPE_FALLBACK: ${SCOPE_NAME_RULE}`);
}
