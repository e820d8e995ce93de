import { z } from "zod";
import { hashJson } from "../json/canonical.ts";
import { toJson, type JsonValue } from "../json/json.ts";
import { SIDE_EFFECT_CLASSES } from "./evidence.ts";
import { originOf } from "./origin.ts";

const text = z.string().min(1).max(10_000);
const texts = z.array(text).max(1_000);
const count = z.int().min(0);
const json: z.ZodType<JsonValue> = z.json();
const jsonPointer = z.string().regex(/^(\/.*)?$/s, "a JSON pointer starts with / or is empty");

const artifact = z.strictObject({
  /** What `recordArtifact()` calls it. */
  name: text,
  /** Where its bytes are re-read from; decides the probe. */
  kind: z.enum(["file", "json", "row", "url", "diff", "report", "message", "object"]).default("file"),
  /** Where it must be; without it the run has to record a reference. */
  path: text.optional(),
  /** Bytes it must have; 0 allows an empty one. Default 1. */
  minBytes: count.default(1),
  /** JSON Schema (draft 2020-12 or 7) that its JSON content must satisfy. */
  schema: z.record(z.string(), json).optional(),
});

const sideEffect = z.strictObject({
  tool: text,
  /** What the call must have been given; absent: any arguments. */
  arguments: json.optional(),
  /** `subset` lets the call carry more object members than expected. Key order never counts. Default `exact`. */
  match: z.enum(["exact", "subset"]).default("exact"),
  /** JSON pointers cut from both sides before comparing; `*` stands for any array index or key. */
  ignore: z.array(jsonPointer).default([]),
  times: z.union([z.strictObject({ exactly: count }), z.strictObject({ atLeast: count })]).default({ exactly: 1 }),
  /**
   * What proves that it happened: the call came back without an error (`result`), it also gave a durable reference
   * (`reference`), or an artifact probe also found that reference (`probe`). Default `result`.
   */
  confirmedBy: z.enum(["result", "reference", "probe"]).default("result"),
  /**
   * What counts as one time. `reference`: calls with equal arguments that gave the same reference are one effect, as a
   * repeated request with an idempotency key is. Default: each call. Optional, so that older contracts keep their hash.
   */
  countBy: z.enum(["call", "reference"]).optional(),
});

const content = z
  .strictObject({
    contains: text,
    /** Default true. */
    ignoreCase: z.boolean().default(true),
    /** Characters dropped on both sides before comparing, such as `,` in numbers. */
    ignoreCharacters: z.string().max(100).default(""),
  })
  .refine(
    ({ contains, ignoreCharacters }) => Array.from(contains).some((one) => !ignoreCharacters.includes(one)),
    "every character of `contains` is ignored, so any answer would do",
  );

const claim = z
  .strictObject({
    /** Each call of it that succeeds takes something: an item of a queue, a lock. */
    tool: text,
    /** JSON pointer into its result: the ids of what it took; `*` stands for any index. Nothing there: it took nothing. */
    ids: jsonPointer.default("/id"),
    /** Name of the recorded artifact that ends it, `{id}` standing for the id: `receipt:{id}`. */
    artifact: text.regex(/\{id\}/, "has no {id} in it").optional(),
    /** Calls that give it back, by the JSON pointers of its id and of a reason (that must not be empty) in their arguments. */
    releases: z
      .array(z.strictObject({ tool: text, id: jsonPointer.default("/id"), reason: jsonPointer.optional() }))
      .max(20)
      .default([]),
  })
  .refine(
    ({ artifact: ends, releases }) => ends !== undefined || releases.length > 0,
    "nothing could end it: give an artifact or a release",
  );

const origin = z
  .string()
  .max(1_000)
  .refine((value) => value.includes("://") && originOf(value) === value, "is no origin, such as https://example.org");

const navigation = z.strictObject({
  /** Origins that need no lease. */
  origins: z.array(origin).max(1_000).default([]),
  /** Whose result names the origins a run may visit until it releases the lease; JSON pointers into result and arguments. */
  lease: z
    .strictObject({
      tool: text,
      id: jsonPointer.default("/lease"),
      origins: jsonPointer.default("/origins/*"),
      release: z.strictObject({ tool: text, id: jsonPointer.default("/lease") }),
    })
    .optional(),
  /** Calls that go somewhere: the URLs they were asked for (in their arguments) and those they came to (in their result). */
  visits: z
    .array(
      z
        .strictObject({ tool: text, asked: jsonPointer.optional(), landed: jsonPointer.optional() })
        .refine(({ asked, landed }) => (asked ?? landed) !== undefined, "names no URL: give `asked` or `landed`"),
    )
    .min(1)
    .max(100),
});

/** The contract a run is judged by. JSON-serialisable; unknown keys are errors. */
export const runContractSchema = z.strictObject({
  version: z.literal(1).default(1),
  agent: text.max(200),
  artifacts: z.array(artifact).max(1_000).default([]),
  /** Paths (relative to the run's folder) that must exist and not be empty; `atLeast` of them, all by default. */
  evidencePaths: z.strictObject({ paths: texts, atLeast: count.optional() }).optional(),
  tools: z
    .strictObject({
      allowed: texts.optional(),
      forbidden: texts.optional(),
      /** What tools may do to the world that nobody recorded, by name: a model asked for them. Default `write`. */
      sideEffects: z.record(text, z.enum(SIDE_EFFECT_CLASSES)).optional(),
    })
    .optional(),
  /** Files the run may touch, as globs, seen by a git diff of `workspace`. */
  changes: z
    .strictObject({
      workspace: text.default("."),
      expected: texts.default([]),
      allowed: texts.optional(),
      forbidden: texts.default([]),
    })
    .optional(),
  mutations: z
    .strictObject({
      /** Calls of these tools must not have succeeded. */
      forbiddenTools: texts.default([]),
      /** No successful call of these classes. */
      forbiddenClasses: z.array(z.enum(SIDE_EFFECT_CLASSES)).default([]),
    })
    .optional(),
  sideEffects: z
    .strictObject({
      expected: z.array(sideEffect).max(1_000).default([]),
      /** Whether successful mutating calls that no expectation covers are allowed. Default `forbid`. */
      others: z.enum(["allow", "forbid"]).default("forbid"),
    })
    .optional(),
  /** What the run may take for itself, and how each of it must end. */
  claims: z.array(claim).min(1).max(100).optional(),
  /** Where a browser (or any client) may go. */
  navigation: navigation.optional(),
  /** Observed by the run's state reader before and after; compared as JSON. */
  state: z.strictObject({ from: json.optional(), to: z.array(json).min(1) }).optional(),
  verification: z
    .strictObject({
      /** Program and arguments; no shell ever sees it. */
      command: z.array(z.string().max(10_000)).min(1).max(1_000),
      cwd: text.default("."),
      timeoutSeconds: z.number().positive().max(86_400).default(60),
      exitCode: z.int().default(0),
    })
    .optional(),
  limits: z
    .strictObject({
      /** Default 3600: every run has an end. */
      timeoutSeconds: z.number().positive().max(2_592_000).default(3_600),
      maxRetries: count.optional(),
      maxSteps: count.optional(),
    })
    .default({ timeoutSeconds: 3_600 }),
  answer: z
    .strictObject({ required: z.array(content).default([]), forbidden: z.array(content).default([]) })
    .optional(),
  /** Whether "there was nothing to do" is an acceptable end, provided nothing was changed. Default false. */
  allowSkip: z.boolean().default(false),
});

export type RunContract = z.output<typeof runContractSchema>;
export type RunContractInput = z.input<typeof runContractSchema>;
export type ArtifactRequirement = RunContract["artifacts"][number];
export type ExpectedSideEffect = NonNullable<RunContract["sideEffects"]>["expected"][number];
export type ClaimRule = NonNullable<RunContract["claims"]>[number];
export type NavigationRule = NonNullable<RunContract["navigation"]>;
export type ContentRule = NonNullable<RunContract["answer"]>["required"][number];

/** A contract that does not parse. `problems` names every key and its bound. */
export class ContractError extends Error {
  readonly code = "RUNPROOF_CONTRACT_INVALID";
  readonly problems: readonly string[];
  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(`the run contract is not valid:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`, options);
    this.name = "ContractError";
    this.problems = problems;
  }
}

/**
 * Parses a contract from an untrusted source: a deeply frozen copy with the defaults filled in. Throws `ContractError`
 * with every problem at once.
 */
export function parseContract(value: unknown): RunContract {
  // First of all, because the schema would follow a cycle until the stack ends.
  if (toJson(value) === undefined) throw new ContractError(["contract: is not JSON (a cycle, or nested too deep)"]);
  const parsed = runContractSchema.safeParse(value);
  // Through JSON, so that a member set to `undefined` is an absent one: both must have the same hash.
  if (parsed.success) return deepFrozen(toJson(parsed.data)) as unknown as RunContract;
  throw new ContractError(
    parsed.error.issues.map((issue) => `${issue.path.map(String).join(".") || "contract"}: ${issue.message}`),
    { cause: parsed.error },
  );
}

/**
 * Declares what a run promises. Fills in the defaults and freezes the result deeply; throws `ContractError` at once,
 * while the agent starts, because a contract that cannot be judged would make every run inconclusive.
 */
export const defineContract = (contract: RunContractInput): RunContract => parseContract(contract);

function deepFrozen(value: JsonValue | undefined): JsonValue | undefined {
  if (typeof value !== "object" || value === null) return value;
  for (const member of Object.values(value) as JsonValue[]) deepFrozen(member);
  return Object.freeze(value);
}

/** Identity of a contract: SHA-256 of its canonical JSON. */
export const contractSha256 = (contract: RunContract): string => hashJson(contract as unknown as JsonValue);
