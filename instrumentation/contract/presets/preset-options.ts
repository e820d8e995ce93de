import { z } from "zod";
import {
  ContractError,
  defineContract,
  runContractSchema,
  type RunContract,
  type RunContractInput,
} from "../contract.ts";
import { SIDE_EFFECT_CLASSES } from "../evidence.ts";

/** The shapes that the options of several presets share. Bounds are those of the contract they become. */
export const text = z.string().min(1).max(10_000);
export const texts = z.array(text).max(1_000);
export const pointer = z
  .string()
  .max(1_000)
  .regex(/^(\/.*)?$/s, "a JSON pointer starts with / or is empty");
export const count = z.int().min(0);
const { agent, limits, verification } = runContractSchema.shape;

export const common = {
  agent: agent.optional(),
  /** Tools the run may call. Default: any. */
  tools: texts.optional(),
  /** What tools may do to the world that nobody recorded, by name: a model asked for them. Default `write`. */
  toolSideEffects: z
    .record(text, z.enum(SIDE_EFFECT_CLASSES))
    .refine((classes) => Object.keys(classes).length <= 1_000, "has more than 1000 tools")
    .optional(),
  limits: limits.unwrap().optional(),
};
export const command = verification.unwrap();

/**
 * A preset: options to a contract. Throws `ContractError` with every problem of the options at once, unknown ones
 * included, as `defineContract()` does for a contract.
 */
export function contractFrom<Schema extends z.ZodType>(
  schema: Schema,
  options: unknown,
  build: (options: z.output<Schema>) => RunContractInput,
): RunContract {
  const parsed = schema.safeParse(options);
  if (parsed.success) return defineContract(build(parsed.data));
  throw new ContractError(
    parsed.error.issues.map((issue) => `${issue.path.map(String).join(".") || "options"}: ${issue.message}`),
    { cause: parsed.error },
  );
}

/** The clauses that every preset takes over as they are. */
export const commonClauses = (
  { agent: name, tools, toolSideEffects, limits: bounds }: z.output<z.ZodObject<typeof common>>,
  fallback: string,
): Pick<RunContractInput, "agent" | "tools" | "limits"> => ({
  agent: name ?? fallback,
  ...(tools === undefined && toolSideEffects === undefined
    ? {}
    : { tools: { allowed: tools, sideEffects: toolSideEffects } }),
  ...(bounds === undefined ? {} : { limits: bounds }),
});
