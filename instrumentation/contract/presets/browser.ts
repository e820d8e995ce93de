import { z } from "zod";
import type { RunContract } from "../contract.ts";
import { common, commonClauses, contractFrom, count, pointer, text, texts } from "./preset-options.ts";

const schema = z.strictObject({
  ...common,
  /** The tool that leases origins, with JSON pointers to the lease's id and the origins in its result, and the one that releases. */
  lease: z.strictObject({
    tool: text.default("lease_origins"),
    id: pointer.default("/lease"),
    origins: pointer.default("/origins/*"),
    release: text.default("release_lease"),
    /** Pointer to the lease's id in the arguments of `release`. Default as in `id`. */
    releaseId: pointer.optional(),
  }),
  /** The tools that go somewhere. */
  visits: z
    .array(
      z.strictObject({
        tool: text,
        /** JSON pointer to the URL in its arguments. Default `/url`. */
        asked: pointer.default("/url"),
        /** JSON pointer to the URLs it came to, in its result: a redirect leads elsewhere. Default `/url`. */
        landed: pointer.default("/url"),
      }),
    )
    .min(1)
    .max(100)
    .default([{ tool: "navigate", asked: "/url", landed: "/url" }]),
  /** Origins that need no lease. */
  origins: texts.default([]),
  /** Files that prove what was seen, such as screenshots. `minBytes` is 1 by default. */
  artifacts: z
    .array(z.strictObject({ name: text, path: text, minBytes: count.optional() }))
    .max(1_000)
    .default([]),
});

export type BrowserContractOptions = z.input<typeof schema>;

/**
 * What a browsing run promises: it goes only to leased origins while their lease holds, gives every lease back, and
 * leaves the files that show what it saw. Throws `ContractError` for options that do not parse.
 */
export const browserContract = (options: BrowserContractOptions): RunContract =>
  contractFrom(schema, options, ({ lease, visits, origins, artifacts, ...rest }) => ({
    ...commonClauses(rest, "browser"),
    artifacts,
    navigation: {
      origins,
      lease: {
        tool: lease.tool,
        id: lease.id,
        origins: lease.origins,
        release: { tool: lease.release, id: lease.releaseId ?? lease.id },
      },
      visits,
    },
  }));
