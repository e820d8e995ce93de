/** What storing batches says about the store. */
export interface StoreHealth {
  stored(): void;
  failed(error: unknown): void;
  /** The last batch was stored, or none was tried yet. */
  readonly up: boolean;
  /** Of the last failure, while it lasts. */
  readonly problem: string | undefined;
  /** Milliseconds since the epoch, while the failure lasts. */
  readonly failingSince: number | undefined;
}

export function createStoreHealth(now: () => number = Date.now): StoreHealth {
  let problem: string | undefined;
  let failingSince: number | undefined;
  return {
    stored() {
      problem = undefined;
      failingSince = undefined;
    },
    failed(error) {
      problem = error instanceof Error ? error.message || error.name : String(error);
      failingSince ??= now();
    },
    get up() {
      return problem === undefined;
    },
    get problem() {
      return problem;
    },
    get failingSince() {
      return failingSince;
    },
  };
}
