/** Where a scope can be said, the strongest first. This order is the precedence everywhere. */
export const SCOPE_SOURCES = ["runtime", "local", "cloud"] as const;
export type ScopeSourceName = (typeof SCOPE_SOURCES)[number];

/** The whole precedence, as events tell it. */
export const SOURCE_PRECEDENCE = [...SCOPE_SOURCES, "fallback"] as const;

/**
 * What a source says now. What is there and cannot be read is never `absent`: a weaker source must not win because a
 * stronger one was out of reach.
 */
export type ScopeReading =
  | {
      readonly kind: "present";
      readonly scope: string;
      readonly version: string;
      /** What the same source also says, and what lost within it: an environment variable under a flag. */
      readonly shadowed?: readonly string[];
    }
  | { readonly kind: "absent"; readonly version: string }
  | { readonly kind: "unreadable"; readonly problem: string };

/**
 * `read` may be called at any time, from several operations at once. Two readings have the same `version` only if nothing
 * was written between them. A rejection counts as `unreadable`.
 */
export interface ScopeSource {
  read(signal: AbortSignal): Promise<ScopeReading> | ScopeReading;
}

/** `failed`: it is not known whether it was written; who asks reads again. */
export type ScopeWriting =
  | { readonly kind: "written"; readonly version: string }
  | { readonly kind: "conflict"; readonly problem: string }
  | { readonly kind: "failed"; readonly problem: string };

export interface ScopeWrite {
  /** `null` takes the value away. */
  readonly scope: string | null;
  /** Version of the reading this write follows from. Whatever else is there now: a conflict, and nothing is written. */
  readonly expected: string;
}

/** A source that can be changed. Of two writes with the same `expected` at most one is `written`. */
export interface WritableScopeSource extends ScopeSource {
  write(write: ScopeWrite, signal: AbortSignal): Promise<ScopeWriting>;
}

export const isWritable = (source: ScopeSource | undefined): source is WritableScopeSource =>
  source !== undefined && typeof (source as Partial<WritableScopeSource>).write === "function";

/** A source that is not set up is asked nothing and compared with nothing. */
export interface ScopeSources {
  readonly runtime?: ScopeSource;
  readonly local?: ScopeSource;
  readonly cloud?: ScopeSource;
}

/** What all sources said. */
export type ScopeSnapshot = Readonly<Record<ScopeSourceName, ScopeReading | undefined>>;

export const scopeOf = (reading: ScopeReading | undefined): string | null =>
  reading?.kind === "present" ? reading.scope : null;
