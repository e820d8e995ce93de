import { defineConfig } from "vitest/config";

const rooms = "{instrumentation,processor,replay,examples}/**";

/** A busy machine is no failure: what is waited for gets a minute, and times in tests guard against hanging alone. */
const PATIENCE = { timeout: 60_000, interval: 50 };

// Two cores: the fast tests come first; those that start processes and watch the clock come after.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: [`${rooms}/*.test.ts`],
          exclude: ["**/node_modules/**", `${rooms}/*.e2e.test.ts`],
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: PATIENCE },
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "e2e",
          include: [`${rooms}/*.e2e.test.ts`],
          exclude: ["**/node_modules/**"],
          maxWorkers: 2,
          testTimeout: 240_000,
          hookTimeout: 240_000,
          expect: { poll: PATIENCE },
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
