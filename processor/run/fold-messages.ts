import type { StoreOptions } from "../clickhouse/store.ts";
import type { AgentContracts } from "./stored-facts.ts";
import type { FoldedRun, RunToFold } from "./run-folder.ts";

/** What the folding thread is started with. */
export interface FoldThreadData {
  readonly store: StoreOptions;
  readonly contracts: AgentContracts;
}

export type ToFoldThread =
  | { readonly type: "fold"; readonly id: number; readonly runs: readonly RunToFold[] }
  | { readonly type: "shutdown" };

export type FromFoldThread =
  | { readonly type: "folded"; readonly id: number; readonly runs: readonly FoldedRun[] }
  | { readonly type: "failed"; readonly id: number; readonly error: unknown };
