import type { Readable } from "node:stream";

/** What of undici's options a dispatch is told by; the rest is passed on. */
export interface DispatchOptions {
  readonly origin?: string | URL;
  readonly path: string;
  readonly method: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly upgrade?: unknown;
}

export type Dispatch = (this: object, options: DispatchOptions, handler: UndiciHandler) => boolean;

/** The controller of undici 7 and later. */
export interface DispatchController {
  readonly rawHeaders?: unknown;
  abort(reason?: unknown): void;
}

/**
 * Callbacks of a request. A client of undici 7 and later brings `onRequestStart` and its kin, an older one `onConnect`
 * and its kin; a client that has both is spoken to in the newer way.
 */
export interface UndiciHandler {
  readonly onRequestStart?: (controller: DispatchController, context: unknown) => void;
  readonly onResponseStart?: (
    controller: DispatchController,
    status: number,
    headers: Record<string, string | string[]>,
    statusText: string,
  ) => void;
  readonly onResponseData?: (controller: DispatchController, chunk: Buffer) => void;
  readonly onResponseEnd?: (controller: DispatchController, trailers: Record<string, string>) => void;
  readonly onResponseError?: (controller: DispatchController | null, error: unknown) => void;
  readonly onRequestUpgrade?: (...args: unknown[]) => void;

  readonly onConnect?: (abort: (reason?: unknown) => void, context: unknown) => void;
  readonly onHeaders?: (status: number, headers: Buffer[], resume: () => void, statusText: string) => boolean | void;
  readonly onData?: (chunk: Buffer) => boolean | void;
  readonly onComplete?: (trailers: Buffer[]) => void;
  readonly onError?: (error: unknown) => void;
  readonly onUpgrade?: (...args: unknown[]) => void;

  /** Where `fetch` and `request` put what arrives. */
  readonly body?: Partial<Readable> | null;
  readonly res?: Partial<Readable> | null;
}

export const isNewStyle = (handler: UndiciHandler): boolean => typeof handler.onRequestStart === "function";
