import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStore } from "../../clickhouse/store.ts";
import type { KillPoint } from "./kill-points.ts";
import { type Checked, checkNothingLost } from "./nothing-lost.ts";
import { createSendLedger, type SendLedger, startOtlpSenders } from "./otlp-senders.ts";
import { type ServiceChild, startServiceChild } from "./service-child.ts";
import type { ReadyService, ServiceProcessOptions } from "./service-process.ts";

/** How one life ends. */
export interface Death {
  /** `undefined`: it is killed from outside after `millis`. */
  readonly point?: KillPoint | undefined;
  /** At which time of coming to the point; in shutdown, after how many milliseconds. */
  readonly nth?: number;
  readonly millis?: number;
}

export interface Life {
  readonly wasReady: boolean;
  /** Whether the point was reached, and not our patience its end. */
  readonly byItself: boolean;
  readonly log: string;
  /** From the start of the process to the receivers' listening. */
  readonly startMillis: number | undefined;
}

export interface StartedService {
  readonly child: ServiceChild;
  readonly ready: ReadyService;
}

/** One data directory, many lives of the service on it, one set of senders. */
export interface FaultyService {
  readonly ledger: SendLedger;
  readonly directory: string;
  /** Starts the service, loads it, and sees it die. */
  live(death: Death): Promise<Life>;
  /** Starts it for good. @throws Error when it does not start */
  start(options?: Omit<ServiceProcessOptions, "settings">): Promise<StartedService>;
  /** The last life: drains, compares, and shuts down. */
  settle(): Promise<Checked>;
  remove(): Promise<void>;
}

/** A point that is never reached, such as a deletion without a full segment, ends by our hand. */
const PATIENCE_MILLIS = 2_500;

/** @param settings of the service, such as another store */
export async function createFaultyService(settings: Readonly<Record<string, unknown>> = {}): Promise<FaultyService> {
  const directory = await mkdtemp(join(tmpdir(), "runproof-faults-"));
  const ledger = createSendLedger();
  const children = new Set<ServiceChild>();
  let ports: Record<string, number> = { otlpPort: 0, otlpGrpcPort: 0, clickhousePort: 0, adminPort: 0 };

  function launch(options: Omit<ServiceProcessOptions, "settings">): ServiceChild {
    const child = startServiceChild({
      ...options,
      settings: { ...ports, dataDirectory: join(directory, "data"), ...settings },
    });
    children.add(child);
    void child.ended.then(() => children.delete(child));
    return child;
  }

  /** Agents know one address: the second life has to take the first one's. */
  function remember(ready: ReadyService): void {
    const portOf = (url: string): number => Number(new URL(url).port);
    ports = { ...ports, otlpPort: portOf(ready.otlpUrl), otlpGrpcPort: portOf(ready.otlpGrpcUrl) };
  }

  async function start(options: Omit<ServiceProcessOptions, "settings"> = {}): Promise<StartedService> {
    const child = launch(options);
    const ready = await child.ready;
    if (ready === undefined) throw new Error(`the service does not start: ${await child.ended} ${child.log()}`);
    remember(ready);
    return { child, ready };
  }

  return {
    ledger,
    directory,
    start,
    async live({ millis, ...death }) {
      const began = performance.now();
      const child = launch(death);
      const ready = await child.ready;
      const startMillis = ready && performance.now() - began;
      if (ready === undefined) {
        return { wasReady: false, byItself: (await child.ended) === "SIGKILL", log: child.log(), startMillis };
      }
      remember(ready);
      const senders = startOtlpSenders(ready, ledger);
      let byItself = true;
      const patience = setTimeout(() => {
        byItself = false;
        child.kill();
      }, millis ?? PATIENCE_MILLIS);
      if (death.point === "in shutdown") setTimeout(child.stop, 300);
      await child.ended;
      clearTimeout(patience);
      await senders.stop();
      return { wasReady: true, byItself, log: child.log(), startMillis };
    },
    async settle() {
      const { child, ready } = await start();
      await child.drain();
      const store = createStore({ url: ready.clickhouseUrl });
      const checked = await checkNothingLost(store, ledger);
      await store.close();
      child.stop();
      await child.ended;
      return checked;
    },
    async remove() {
      const ends = [...children].map((child) => child.ended);
      for (const child of children) child.kill();
      await Promise.all(ends);
      await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
    },
  };
}
