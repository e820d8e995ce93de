import { z } from "zod";
import { runContractSchema, type RunContract } from "../contract.ts";
import { common, commonClauses, contractFrom, count, text, texts } from "./preset-options.ts";

const schema = z.strictObject({
  ...common,
  /** The artifact that the work is for, in a file below the run's folder. */
  report: z.strictObject({
    /** Default `report`. */
    name: text.default("report"),
    path: text,
    /** Default 1. */
    minBytes: count.optional(),
    /** JSON Schema that it must satisfy; the report is JSON then. */
    schema: runContractSchema.shape.artifacts.unwrap().element.shape.schema,
  }),
  /** Paths that show the work; `atLeast` of them must exist and hold something, all by default. */
  evidence: z.strictObject({ paths: texts.min(1), atLeast: count.optional() }).optional(),
  /** The tool that reads sources, and how many different readings are the least. */
  sources: z.strictObject({ tool: text, atLeast: count.min(1) }).optional(),
  /** Tools with side effects that the run may use. Default none: research changes nothing. */
  writes: texts.default([]),
});

export type ResearchContractOptions = z.input<typeof schema>;

/**
 * What a research run promises: the report is there, of the declared shape, with the evidence it rests on, and nothing
 * else was changed. Throws `ContractError` for options that do not parse.
 */
export const researchContract = (options: ResearchContractOptions): RunContract =>
  contractFrom(schema, options, ({ report, evidence, sources, writes, ...rest }) => ({
    ...commonClauses(rest, "research"),
    artifacts: [{ ...report, kind: report.schema === undefined ? "report" : "json" }],
    ...(evidence === undefined ? {} : { evidencePaths: evidence }),
    sideEffects: {
      expected: [
        ...(sources === undefined ? [] : [{ tool: sources.tool, times: { atLeast: sources.atLeast } }]),
        ...writes.map((tool) => ({ tool, times: { atLeast: 0 } })),
      ],
      others: "forbid",
    },
  }));
