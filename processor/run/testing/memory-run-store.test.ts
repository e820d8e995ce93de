import { describe } from "vitest";
import { createMemoryRunStore } from "./memory-run-store.ts";
import { describeRunStore } from "./run-store-contract.ts";

describe("the store in memory that simulations use", () => {
  const store = createMemoryRunStore(Date.now);
  describeRunStore(() => store);
});
