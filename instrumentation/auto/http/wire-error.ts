import { thrownText } from "../../capture/error-class.ts";

/** An error of the network as a client library gave it: what agents look at to decide whether to try again. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number | undefined;
  readonly errno?: string | number | undefined;
  readonly syscall?: string | undefined;
  readonly hostname?: string | undefined;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  /** One per address that was tried (`AggregateError`). */
  readonly errors?: readonly WireError[] | undefined;
}

const TEXTS = ["syscall", "hostname", "address"] as const;
const CODES = ["code", "errno"] as const;
const MAX_ADDRESSES = 20;

/** Total on whatever was thrown; `redact` passes over every text. */
export function wireErrorFrom(thrown: unknown, redact: (text: string) => string): WireError {
  const { name, message } = thrownText(thrown);
  const from = (typeof thrown === "object" && thrown !== null ? thrown : {}) as Record<string, unknown>;
  const error: Record<string, unknown> = { name: redact(name), message: redact(message) };
  for (const key of TEXTS) if (typeof from[key] === "string") error[key] = redact(from[key]);
  for (const key of CODES) {
    const value = from[key];
    if (typeof value === "number") error[key] = value;
    else if (typeof value === "string") error[key] = redact(value);
  }
  if (typeof from["port"] === "number") error["port"] = from["port"];
  const several = from["errors"];
  if (Array.isArray(several)) error["errors"] = several.slice(0, MAX_ADDRESSES).map((it) => wireErrorFrom(it, redact));
  return error as unknown as WireError;
}

/** The error as it was thrown, for a replay to throw it again. */
export function errorFromWire({ name, message, errors, ...signs }: WireError): Error {
  const error = errors === undefined ? new Error(message) : new AggregateError(errors.map(errorFromWire), message);
  if (error.name !== name) Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  return Object.assign(error, signs);
}
