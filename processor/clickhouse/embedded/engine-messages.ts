import type { TokenEntry } from "../../auth/tokens.ts";
import type { DiskRoom, DiskSpace } from "./disk-room.ts";
import type { ServiceCredentials } from "./engine-rights.ts";

/** Parent to child, over the IPC channel: the credential never stands in argv or the environment. */
export type ToEngine =
  | {
      readonly type: "start";
      readonly dataDirectory: string;
      readonly host: string;
      /** 0 asks for a free port. */
      readonly port: number;
      readonly credentials: ServiceCredentials;
      /** Hashes of the tokens that may read. Absent: everybody on this machine reads everything. */
      readonly readTokens?: readonly TokenEntry[];
      /** The engine refuses statements that would take it beyond. Default: its own, 90 % of the machine's memory. */
      readonly maxMemoryBytes?: number;
    }
  /** Asks for a sign of life (`alive`) and, if it says so, for a trivial statement (`answered`). */
  | { readonly type: "probe"; readonly id: number; readonly statement: boolean }
  | { readonly type: "shutdown" };

/** Child to parent. */
export type FromEngine =
  | {
      readonly type: "ready";
      readonly port: number;
      readonly version: string;
      /** Parts that the engine could not read when it opened the directory, and put aside. */
      readonly detached?: readonly string[];
    }
  | { readonly type: "failed"; readonly code: EngineFailureCode; readonly message: string }
  /** The child's event loop turns. */
  | { readonly type: "alive"; readonly id: number; readonly rssBytes: number }
  /** The engine has executed the probe's statement. */
  | { readonly type: "answered"; readonly id: number }
  /** What the room on the disk allows has changed. */
  | { readonly type: "room"; readonly room: DiskRoom; readonly space: DiskSpace }
  /** Parts whose files came out short: reads fail until the engine opens its directory anew. */
  | { readonly type: "damaged"; readonly parts: readonly string[] };

export type EngineFailureCode =
  | "chdb_missing"
  | "directory_in_use"
  | "directory_unusable"
  | "port_in_use"
  | "start_failed";
