/** Limits of the OTLP decoders and of the rows they become. Sizes are bytes of UTF-8 unless the name says otherwise. */

/** Levels of `arrayValue` and `kvlistValue` inside one attribute value; the value itself is level 1. */
export const MAX_ANY_VALUE_DEPTH = 32;

/**
 * Braces and brackets open at once in OTLP/JSON: 12 down to the value of a span event's attribute, and four more
 * (`{kvlistValue: {values: [{value: {`) for each level of nesting.
 */
export const MAX_JSON_DEPTH = 12 + 4 * MAX_ANY_VALUE_DEPTH;

/**
 * Attributes and array elements in one request; records count as several (see `node-budget.ts`). Two bytes can make an
 * empty span, so a small body could otherwise become gigabytes of objects. A 64 MiB body of agent spans stays under it.
 */
export const MAX_NODES = 2_000_000;

/** Containers plus commas in one OTLP/JSON body; an attribute counts as about four. Checked before `JSON.parse`. */
export const MAX_JSON_VALUES = 4_000_000;

/** Attributes kept per resource, scope, span, event, link and log record. The rest is counted, not kept. */
export const MAX_ATTRIBUTES = 1_024;

/** An attribute with a longer key (in UTF-16 units) is counted, not kept: a cut key could hide another one. */
export const MAX_ATTRIBUTE_KEY_LENGTH = 4_096;

/** A longer text is cut here, at a character boundary, and named in the attribute `runproof.truncated`. */
export const MAX_TEXT_BYTES = 1_048_576;

/**
 * Every row repeats its resource and scope, so a large resource over many small spans multiplies: 64 MiB of body could
 * become terabytes of rows. This bounds the repeated characters of one request.
 */
export const MAX_REPEATED_LENGTH = 268_435_456;

/** `DateTime64(9)` ends at 2262-04-11; one later time would make the engine refuse the whole insert. */
export const MAX_TIME_UNIX_NANO = 9_223_372_036_854_775_807n;
