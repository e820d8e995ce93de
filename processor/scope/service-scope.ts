import { dirname, join } from "node:path";
import { createFileJournal } from "../../instrumentation/scope/file-journal.ts";
import { createFileSource } from "../../instrumentation/scope/file-source.ts";
import {
  fallbackFrom,
  PROJECT_SCOPE_JOURNAL,
  PROJECT_VARIABLE,
  projectRuntimeSource,
} from "../../instrumentation/scope/project-scope.ts";
import type { ScopeDriftEvent } from "../../instrumentation/scope/scope-drift.ts";
import { createScopeResolver } from "../../instrumentation/scope/scope-resolver.ts";
import type { ScopeStatus } from "../../instrumentation/scope/scope-status.ts";
import type { ApiRoute } from "../api/api-route.ts";
import type { ScopeStore } from "../clickhouse/scope-store.ts";
import type { Component } from "../component.ts";
import { createClickHouseSource } from "./clickhouse-source.ts";
import type { ScopeConfig } from "./scope-config.ts";
import { scopeRoutes } from "./scope-routes.ts";

export interface ServiceScopeOptions {
  readonly config: ScopeConfig;
  readonly scopes: ScopeStore;
  /** Projects that credentials name; `undefined` while nobody has to show one. */
  readonly projects: ReadonlySet<string> | undefined;
  /** Of the user the service runs as, for the fallback `identity`. */
  readonly identity: string | null;
  readonly writtenBy: string;
  /** Told of drift of the service's own scope. */
  readonly onDrift: (event: ScopeDriftEvent) => void | Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly newId: () => string;
  /** Between two looks, milliseconds. Default 15,000. */
  readonly intervalMillis?: number;
}

/** The newest look, as the health gate and the metric `MONITOR_METRICS.scopeState` want it. */
export interface ScopeHealth {
  /** Drift is to stop things, not only to be told. */
  readonly enforced: boolean;
  readonly synced: boolean;
  readonly authorized: boolean;
  /** What is wrong, in a sentence; or that nothing is. */
  readonly message: string;
}

/** The service's own project scope, and what it tells others of theirs. Looks when it starts, and then again and again. */
export interface ServiceScope extends Component {
  /** Looks now. Never rejects. */
  check(): Promise<ScopeStatus>;
  /** `undefined`: there was no look within two intervals, so nothing is known. */
  health(): ScopeHealth | undefined;
  readonly routes: readonly ApiRoute[];
}

/** Key of the service's own scope in the store. */
const KEY = "runproof.project";

export function createServiceScope(options: ServiceScopeOptions): ServiceScope {
  const { config, identity, now, intervalMillis = 15_000 } = options;
  const { scopeStage: stage } = config;
  const policy = { fallback: fallbackFrom(config.scopeFallback, identity) };
  const stored = createClickHouseSource({ ...options, key: KEY });
  const resolver = serviceResolver(options, { policy, stored });
  let atStartUp: ScopeStatus | undefined;
  let timer: NodeJS.Timeout | undefined;
  const check = () => resolver.check("service");
  return {
    async start() {
      atStartUp = await check();
      timer = setInterval(() => void check(), intervalMillis);
      timer.unref();
    },
    shutdown: async () => clearInterval(timer),
    check,
    health() {
      const last = resolver.last();
      if (last === undefined || now() - last.checkedAt > 2 * intervalMillis) return undefined;
      return healthOf(last);
    },
    routes: scopeRoutes({ stored, policy, stage, now, check, atStartUp: () => atStartUp }),
  };
}

function serviceResolver(
  { config, projects, onDrift, now, newId }: ServiceScopeOptions,
  { policy, stored }: Pick<Parameters<typeof scopeRoutes>[0], "policy" | "stored">,
) {
  return createScopeResolver({
    sources: {
      runtime: projectRuntimeSource(undefined, { [PROJECT_VARIABLE]: config.project }),
      local: createFileSource({ path: config.scopeFile }),
      cloud: stored,
    },
    authorize: ({ scope }) =>
      projects === undefined || projects.has(scope)
        ? { allowed: true }
        : { allowed: false, reason: "no credential of the service is for this project" },
    policy,
    stage: config.scopeStage,
    journal: createFileJournal(join(dirname(config.scopeFile), PROJECT_SCOPE_JOURNAL)),
    emit: onDrift,
    // It looks all the time; what does not change is told now and then.
    repeatMillis: 3_600_000,
    now,
    newId,
  });
}

function healthOf({ stage, state, authorized, authorization, findings, scope }: ScopeStatus): ScopeHealth {
  const refusal = "reason" in authorization ? authorization.reason : undefined;
  const message = findings[0]?.detail ?? refusal ?? `the project scope is ${scope ?? "unknown"}`;
  return { enforced: stage === "enforce", synced: state === "SYNCED", authorized, message };
}
