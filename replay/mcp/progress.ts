/** What of a request progress is told by. */
export interface ProgressRequest {
  readonly _meta?: { readonly progressToken?: string | number | undefined } | undefined;
  readonly sendNotification: (notification: {
    method: "notifications/progress";
    params: { progressToken: string | number; progress: number; message: string };
  }) => Promise<void>;
}

export interface Progress {
  /** What is going on now; told at once. */
  readonly say: (message: string) => void;
  stop(): void;
}

/** Clients give up on a call they hear nothing of, most after a minute. */
const EVERY_MILLIS = 5_000;

/** Tells a client that asked for it, as long as a call goes on, how many seconds it has taken. */
export function startProgress(tool: string, { _meta, sendNotification }: ProgressRequest): Progress {
  const token = _meta?.progressToken;
  if (token === undefined) return { say: () => {}, stop: () => {} };
  const began = performance.now();
  let told = 0;
  let current = tool;

  function tell(): void {
    // It has to grow each time.
    told = Math.max(told + 0.001, Math.round(performance.now() - began) / 1_000);
    const params = {
      progressToken: token as string | number,
      progress: told,
      message: `${current}, ${told.toFixed(0)} s`,
    };
    // Whoever is gone needs no progress.
    sendNotification({ method: "notifications/progress", params }).catch(() => {});
  }

  const timer = setInterval(tell, EVERY_MILLIS);
  timer.unref();
  return {
    say(message) {
      current = `${tool}: ${message}`;
      tell();
    },
    stop: () => clearInterval(timer),
  };
}
