import { afterEach, expect, it } from "vitest";
import { defineContract } from "../contract/contract.ts";
import { closeRun } from "./close-run.ts";
import { startRun } from "./start-run.ts";
import { evidenceOf, only, startRecorder, type Recorder } from "./testing/recorder.ts";

let recorder: Recorder | undefined;
afterEach(async () => {
  await recorder?.close();
});

it("closing evidence says what the contract finds in the secret parts of an answer, and not the answer", async () => {
  recorder = await startRecorder();
  const contract = defineContract({
    agent: "writer",
    answer: { required: [{ contains: "1111" }, { contains: "paid" }] },
  });
  await closeRun(await startRun(contract), { answer: "paid with 4111 1111 1111 1111" });
  const evidence = evidenceOf(only(recorder.direct(), "close")) as unknown as {
    answer: string;
    answerMatches: unknown;
  };
  expect(evidence.answer).toMatch(/^paid with \[redacted:card:/);
  expect(evidence.answerMatches).toEqual([
    { rule: { contains: "1111", ignoreCase: true, ignoreCharacters: "" }, holds: true },
  ]);
});
