import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ReceiverLimits } from "../receiver-limits.ts";

const PROCESS = fileURLToPath(new URL("./receiver-process.ts", import.meta.url));

export interface ReceiverFigures {
  /** Records that arrived. */
  readonly records: number;
  readonly defects: number;
  readonly budgetBytes: number;
  /** Of the whole process, its threads included. */
  readonly cpuMillis: number;
  /** Largest resident memory since the last `reset()`. */
  readonly peakBytes: number;
}

/** Both receivers in a process of their own, whose memory and CPU time are theirs alone. */
export interface RunningReceivers {
  readonly httpPort: number;
  readonly grpcPort: number;
  figures(): Promise<ReceiverFigures>;
  /** The figures, after which the peak counts anew. */
  reset(): Promise<ReceiverFigures>;
  stop(): Promise<void>;
}

export interface ReceiverProcessOptions {
  /** Whole bodies, as the service takes them, or rows. Default `bodies`. */
  readonly sink?: "bodies" | "rows";
  readonly limits?: Partial<ReceiverLimits>;
}

export async function startReceivers(options: ReceiverProcessOptions = {}): Promise<RunningReceivers> {
  const child = fork(PROCESS, [JSON.stringify(options)]);
  const [ports] = (await once(child, "message")) as [Pick<RunningReceivers, "httpPort" | "grpcPort">];
  const ask = async (what: string): Promise<ReceiverFigures> => {
    const answer = once(child, "message") as Promise<[ReceiverFigures]>;
    child.send(what);
    return (await answer)[0];
  };
  return {
    ...ports,
    figures: () => ask("figures"),
    reset: () => ask("reset"),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
    },
  };
}
