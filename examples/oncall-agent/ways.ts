import type { WatchWays } from "./watcher.ts";

export const alertsOncePerClass: WatchWays = {
  keyOf: ({ failureClass }) => failureClass,
  // A failure that nobody could be told of must be somebody's failure: this run's.
  onRefused: (error) => {
    throw error;
  },
  tidyUp: async () => {},
};

/**
 * The planted silent failure: two alerts of one service are held to be one trouble, and the second is resolved as a
 * duplicate. It was another kind of failure, and nobody ever hears of it.
 */
export const resolvesSameService: WatchWays = {
  ...alertsOncePerClass,
  tidyUp: async (sent, tools) => {
    const seen = new Set<string>();
    for (const { service, reference } of sent) {
      if (seen.has(service)) await tools.resolveAlert({ reference, reason: `duplicate for ${service}` });
      seen.add(service);
    }
  },
};

/** Another one: each failed run is an alert of its own. */
export const alertsOncePerRun: WatchWays = { ...alertsOncePerClass, keyOf: ({ run }) => run };

/** A third: it counts as alerted before it was sent, and an error is no reason to stop. */
export const losesRefused: WatchWays = { ...alertsOncePerClass, onRefused: () => {} };
