import { defineConfig } from "vitest/config";

const rooms = "{instrumentation,processor,replay,examples}/**";

// Two cores: the fast tests share them; those that start processes and watch the clock come after, one file at a time.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: [`${rooms}/*.test.ts`],
          exclude: ["**/node_modules/**", `${rooms}/*.e2e.test.ts`],
          maxWorkers: 2,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "e2e",
          include: [`${rooms}/*.e2e.test.ts`],
          exclude: ["**/node_modules/**"],
          maxWorkers: 1,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
