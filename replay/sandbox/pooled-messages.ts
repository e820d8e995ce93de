import type { ToChild, ToParent } from "./messages.ts";

/** What a pool tells its children: as `messages.ts`, with what a child forked earlier could not know yet. */
export type ToPooledChild =
  | {
      readonly type: "begin";
      readonly start: Extract<ToChild, { type: "start" }>;
      /** The whole environment of this replay; takes the place of the one the child was forked with. */
      readonly env: Readonly<Record<string, string>>;
      /** Work folder of this replay. */
      readonly cwd: string;
    }
  | Extract<ToChild, { type: "answer" }>;

export type FromPooledChild =
  | ToParent
  /** After the outcome: what the replay left in the process. Empty: another one may run in it. */
  | { readonly type: "rested"; readonly residue: readonly string[] };
