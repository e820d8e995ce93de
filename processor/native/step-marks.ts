import { STEP_MARKS } from "../evidence/dialect/index.ts";
import type { ByteDictionary } from "./byte-dictionary.ts";

/** Knows by its id a key that makes a span a step of an agent: one look at a small table for each attribute. */
export class StepMarks {
  #isMark = new Uint8Array();

  /** The ids that the marks have in this dictionary, until its generation changes. */
  learn(dictionary: ByteDictionary): void {
    const ids = STEP_MARKS.map((name) => dictionary.idOfText(name));
    this.#isMark = new Uint8Array(Math.max(...ids) + 1);
    for (const id of ids) this.#isMark[id] = 1;
  }

  /** Ids beyond the table are of keys that were met later. */
  has(key: number): boolean {
    return this.#isMark[key] === 1;
  }
}
