import { isMainThread } from "node:worker_threads";
import { instrumentHttpServers } from "../../instrumentation/auto/boundary/http-server.ts";
import { configureBoundaries, setContracts } from "../../instrumentation/auto/boundary/index.ts";
import { openProcessRun } from "../../instrumentation/auto/boundary/process-run.ts";
import { instrumentHttp } from "../../instrumentation/auto/http/instrument-http.ts";
import {
  defaultSections,
  loadSharedSections,
  type SharedSections,
} from "../../instrumentation/config-file/load-shared-sections.ts";
import { isSdkDisabled } from "../../instrumentation/environment.ts";
import { runtime } from "../../instrumentation/runtime.ts";
import type { RecordChannel } from "../../instrumentation/transport/record-channel.ts";
import { boundaryOptions } from "./boundary-options.ts";
import { hookModules } from "./hook-modules.ts";
import { watchProcessEnd } from "./process-end.ts";
import { sayOnce } from "./say-once.ts";
import { STACK_MODULES } from "./stacks.ts";
import { joinTracing } from "./join-tracing.ts";

/** Everything `runproof/register` does, in one visible order. */
export async function instrumentProcess(): Promise<void> {
  if (isSdkDisabled(process.env)) return;
  // Made now, so that what dead processes left is sent on.
  runtime();
  const tracing = joinTracing(process.env);
  const { instrumentation, contracts } = await sectionsOrDefaults();
  setContracts(contracts);
  configureBoundaries(
    boundaryOptions({ env: process.env, config: instrumentation, cwd: process.cwd(), warn: sayOnce }),
  );
  const isEnabled = ({ module }: { readonly module: string }): boolean =>
    !instrumentation.disabled.some((disabled) => module === disabled || module.startsWith(`${disabled}/`));
  instrumentHttp();
  instrumentHttpServers(instrumentation.http);
  hookModules(STACK_MODULES.filter(isEnabled));
  // A worker is part of its process's work, and no work of its own.
  const closeProcessRun = isMainThread ? openProcessRun() : undefined;
  watchEnd(tracing, closeProcessRun);
}

/** A configuration that cannot be used stops nothing: the agent runs on, and its runs have no contracts. */
async function sectionsOrDefaults(): Promise<SharedSections> {
  try {
    return await loadSharedSections(process.cwd());
  } catch (error) {
    sayOnce(`the configuration is not used: ${error instanceof Error ? error.message : String(error)}`);
    return defaultSections();
  }
}

function watchEnd(tracing: ReturnType<typeof joinTracing>, closeProcessRun: (() => Promise<void>) | undefined): void {
  const channel = (): RecordChannel => runtime().channel;
  let processRun = closeProcessRun;
  const send = async (): Promise<void> => {
    if (channel().canDeliver()) await Promise.all([tracing.flush(), channel().flush(MAX_FLUSH_MILLIS)]);
  };
  watchProcessEnd({
    isWorthWaiting: () =>
      processRun !== undefined || (channel().canDeliver() && (tracing.isOwing() || channel().isOwing())),
    send,
    async finish() {
      const close = processRun;
      processRun = undefined;
      await close?.();
      await send();
    },
    keepUnsent() {
      tracing.keepUnsent();
      channel().keepInFlight();
    },
    endRuns: (exitCode) => channel().endOpenRuns(exitCode),
  });
}

const MAX_FLUSH_MILLIS = 2_000;
