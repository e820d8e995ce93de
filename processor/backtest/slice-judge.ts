import type { RunContract } from "../../instrumentation/contract/contract.ts";
import { createHistoryReader } from "../clickhouse/history-reader.ts";
import { createStore, type StoreOptions } from "../clickhouse/store.ts";
import type { HistoryScope } from "./history.ts";
import { judgeSlice, type SlicePart } from "./judge-slice.ts";
import type { Slice } from "./plan-slices.ts";
import type { SliceLimits } from "./portions.ts";
import { createRecordedContracts } from "./recorded-contracts.ts";

/** Takes a part; the next one is not begun before it has. */
export type TakePart = (part: SlicePart) => Promise<void>;

/** Reads and judges slices, one at a time. */
export interface SliceJudge {
  /** Rejects when the store does, the taker, or the judge was ended. */
  judge(slice: Slice, take: TakePart): Promise<void>;
  /** At once, whatever it is doing: it only reads. */
  end(): Promise<void>;
}

/** What a judge of slices is made of; it can be sent to a thread. */
export interface SliceJudgeData {
  readonly store: StoreOptions;
  readonly scope: HistoryScope;
  readonly contract: RunContract;
  readonly limits: SliceLimits;
}

/** In the thread that calls it. */
export function createSliceJudge({ store: options, ...data }: SliceJudgeData): SliceJudge {
  const store = createStore(options);
  const history = createHistoryReader(store);
  const judging = { ...data, history, recorded: createRecordedContracts(history) };
  let isEnded = false;
  return {
    async judge(slice, take) {
      for await (const part of judgeSlice(slice, judging)) {
        if (isEnded) throw new Error("the back-test was ended");
        await take(part);
      }
    },
    async end() {
      isEnded = true;
      await store.close();
    },
  };
}
