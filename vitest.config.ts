import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{instrumentation,processor,replay,examples}/**/*.test.ts"],
    // Two cores: the integration and end-to-end suites start real engines and processes of their own.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
