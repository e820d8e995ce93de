/** Ids as both decoders yield them: lower-case hex text, or whatever else was sent. */

const TRACE_ID = /^[0-9a-f]{32}$/;
const SPAN_ID = /^[0-9a-f]{16}$/;
const ZEROS = /^0+$/;

export const isTraceId = (id: string): boolean => TRACE_ID.test(id) && !ZEROS.test(id);
export const isSpanId = (id: string): boolean => SPAN_ID.test(id) && !ZEROS.test(id);

/** An id that may be absent. All zeros mean absent, as in the Collector; `undefined` when it is neither. */
export function optionalTraceId(id: string): string | undefined {
  return TRACE_ID.test(id) || id === "" ? absentIfZero(id) : undefined;
}

export function optionalSpanId(id: string): string | undefined {
  return SPAN_ID.test(id) || id === "" ? absentIfZero(id) : undefined;
}

const absentIfZero = (id: string): string => (ZEROS.test(id) ? "" : id);
