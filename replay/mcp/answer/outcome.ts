import { EXIT } from "../../worker/exit-codes.ts";

/** How a tool's call ended: the exit codes of the command line as words, and what only a server knows. */
export const OUTCOMES = [
  "ok",
  "finding",
  "refused",
  "environment",
  "inconclusive",
  "no_wall",
  "interrupted",
  "timed_out",
  "not_permitted",
] as const;
export type Outcome = (typeof OUTCOMES)[number];

const BY_CODE: Readonly<Record<number, Outcome>> = {
  [EXIT.ok]: "ok",
  [EXIT.finding]: "finding",
  [EXIT.usage]: "refused",
  [EXIT.environment]: "environment",
  [EXIT.inconclusive]: "inconclusive",
  [EXIT.noWall]: "no_wall",
  [EXIT.interrupted]: "interrupted",
};

export const outcomeOfExit = (code: number): Outcome => BY_CODE[code] ?? "environment";

/** A tool that worked and found something bad has not failed. */
export const isFailedCall = (outcome: Outcome): boolean => !["ok", "finding", "inconclusive"].includes(outcome);

/** What to do about it, where the tool has nothing better to say. Fixed texts: nothing recorded gets in. */
export const ADVICE: Readonly<Record<Outcome, readonly string[]>> = {
  ok: [],
  finding: [],
  refused: ["The arguments or the configuration are not right: untrusted_data.problems says what."],
  environment: [
    "Something around runproof is not right: untrusted_data.problems says what. " +
      "Check that the service runs (runproof serve) and that RUNPROOF_CLICKHOUSE_URL and RUNPROOF_ENDPOINT name it.",
  ],
  inconclusive: ["The evidence is not enough to say. Do not take this for a pass."],
  no_wall: ["Strict mode is not available on this machine; nothing was started. Use the mode cassette."],
  interrupted: ["The call was cancelled before it was done."],
  timed_out: [
    "The call took longer than its bound and was ended. Ask for less, or use the command line for long work.",
  ],
  not_permitted: [
    "The project scope is not resolved or not authorised, so nothing was done. runproof scope status says why; " +
      "a person must put it right.",
  ],
};
