import { OtlpDecodeError } from "./decode-error.ts";

/**
 * Typed reads of one field of a parsed JSON object, by the proto3 JSON mapping with OTLP's deviations
 * (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). A missing field and `null` mean the default.
 * Every mismatch is an `OtlpDecodeError` that names the field and what was found.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

/** Up to 64 bits: longer text is never given to `BigInt`, whose cost grows with the square of the length. */
const INTEGER = /^-?\d{1,20}$/;
const ANY_INTEGER = /^-?\d+$/;
const DECIMAL = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
const MAX_UINT64 = 18_446_744_073_709_551_615n;
const MAX_UINT32 = 4_294_967_295;
const MIN_INT64 = -9_223_372_036_854_775_808n;
const MAX_INT64 = 9_223_372_036_854_775_807n;
const SHOWN_LENGTH = 60;

const mismatch = (name: string, expected: string, found: unknown): OtlpDecodeError => {
  const shown = (JSON.stringify(found) ?? typeof found).slice(0, SHOWN_LENGTH);
  return new OtlpDecodeError("malformed", `${name} must be ${expected}, found ${shown}`);
};

export function objectFrom(value: unknown, name: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw mismatch(name, "an object", value);
  return value as JsonObject;
}

export function readObject(object: JsonObject, name: string): JsonObject | undefined {
  const value = object[name];
  return value === undefined || value === null ? undefined : objectFrom(value, name);
}

export function readArray(object: JsonObject, name: string): readonly unknown[] {
  const value = object[name];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw mismatch(name, "an array", value);
  return value;
}

export function readString(object: JsonObject, name: string): string {
  const value = object[name];
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw mismatch(name, "a string", value);
  return value.toWellFormed();
}

/** Ids are hex in OTLP/JSON, in either case. What is not hex or too long is for the row builders to reject. */
export function readHexId(object: JsonObject, name: string): string {
  return readString(object, name).toLowerCase();
}

/** `fixed64` and `uint64`: decimal text or a number. */
export function readUint64(object: JsonObject, name: string): bigint {
  const value = object[name];
  if (value === undefined || value === null) return 0n;
  const integer = bigintFrom(value);
  if (integer === undefined || integer < 0n || integer > MAX_UINT64) {
    throw mismatch(name, "an unsigned 64-bit integer", value);
  }
  return integer;
}

/** `int64`: decimal text or a number; a number beyond it comes back as the double it is. */
export function intValueFrom(value: unknown, name: string): bigint | number {
  const integer = bigintFrom(value);
  if (integer !== undefined && integer >= MIN_INT64 && integer <= MAX_INT64) return integer;
  if (typeof value === "number" || (typeof value === "string" && ANY_INTEGER.test(value))) return Number(value);
  throw mismatch(name, "a 64-bit integer", value);
}

function bigintFrom(value: unknown): bigint | undefined {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : undefined;
  return typeof value === "string" && INTEGER.test(value) ? BigInt(value) : undefined;
}

/** Enums (as numbers only: OTLP forbids their names) and 32-bit fields. */
export function readUint32(object: JsonObject, name: string): number {
  const value = object[name];
  if (value === undefined || value === null) return 0;
  const number = typeof value === "string" && INTEGER.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number) || number < 0 || number > MAX_UINT32) {
    throw mismatch(name, "an unsigned 32-bit integer", value);
  }
  return number;
}

export function boolFrom(value: unknown, name: string): boolean {
  if (typeof value !== "boolean") throw mismatch(name, "true or false", value);
  return value;
}

/** A number, or the text forms the JSON mapping needs for what JSON numbers cannot say. */
export function doubleFrom(value: unknown, name: string): number {
  if (typeof value === "number") return value;
  if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
  if (typeof value === "string" && DECIMAL.test(value)) return Number(value);
  throw mismatch(name, "a number", value);
}

export function bytesFrom(value: unknown, name: string): Uint8Array {
  if (typeof value !== "string" || !BASE64.test(value)) throw mismatch(name, "base64 text", value);
  return Buffer.from(value, "base64");
}
