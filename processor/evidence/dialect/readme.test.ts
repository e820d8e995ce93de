import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { generatedReadme, README } from "./testing/readme.ts";

test("README.md says what the table of names and the stored bodies say", () => {
  expect(readFileSync(README, "utf8")).toBe(generatedReadme());
});
