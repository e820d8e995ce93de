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
    }
  | { readonly type: "shutdown" };

/** Child to parent. */
export type FromEngine =
  | { readonly type: "ready"; readonly port: number; readonly version: string }
  | { readonly type: "failed"; readonly code: EngineFailureCode; readonly message: string };

export type EngineFailureCode =
  | "chdb_missing"
  | "directory_in_use"
  | "directory_unusable"
  | "port_in_use"
  | "start_failed";
