import type { Component } from "./component.ts";

/** Components in the order data leaves them: what is last to receive is first to start and last to stop. */
export interface Pipeline {
  /** Starts each in turn; when one fails, those that run are shut down again and its error is thrown. */
  start(): Promise<void>;
  /** Shuts down in reverse, each even if another fails. */
  shutdown(): Promise<void>;
}

export function createPipeline(components: readonly Component[]): Pipeline {
  const running: Component[] = [];

  async function shutdown(): Promise<void> {
    const failures: unknown[] = [];
    for (let component = running.pop(); component !== undefined; component = running.pop()) {
      try {
        await component.shutdown();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, "some components did not shut down cleanly");
  }

  return {
    async start() {
      for (const component of components) {
        try {
          await component.start();
        } catch (error) {
          await shutdown().catch(() => {});
          throw error;
        }
        running.push(component);
      }
    },
    shutdown,
  };
}
