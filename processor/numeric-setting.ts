import { z } from "zod";

/** Variables and flags come as text. Only decimal digits are a number: `Number("")` and `Number(true)` would be too. */
export const numeric = <Schema extends z.ZodType<number>>(schemaOfNumber: Schema) =>
  z.preprocess(
    (value) => (typeof value === "string" && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value),
    schemaOfNumber,
  );
