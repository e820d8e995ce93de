import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { recordArtifact, withRun } from "../../instrumentation/index.ts";
import { type RunPlace, runOptions } from "../scenarios/run-place.ts";
import { type Catalogue, loadChange, openCatalogue, type Prices } from "./catalogue.ts";
import { type PriceChange, priceContract } from "./contract.ts";

/** Where the process finds itself: what is persisted here, what the cloud says, and the catalogues. */
export interface Surroundings {
  readonly local: string | null;
  readonly cloud: string | null;
  readonly prices: Prices;
}

export interface Raised {
  readonly project: string;
  readonly before: number;
  readonly after: number;
}

/** Raises a price. Which project it reads and which it writes is all in which the broken and the fixed editor differ. */
export type RaisePrice = (
  change: { readonly item: string; readonly percent: number },
  place: { readonly input: PriceChange; readonly around: Surroundings; readonly catalogue: Catalogue },
) => Promise<Raised>;

export const AROUND: Surroundings = {
  local: null,
  cloud: "production",
  prices: { staging: { mug: 500 }, production: { mug: 900 } },
};

/** An editor of prices that says what it did. */
export const createEditor =
  (raise: RaisePrice) =>
  async (
    input: PriceChange,
    state: { readonly around: Surroundings } = { around: AROUND },
    place: RunPlace = {},
  ): Promise<string> => {
    const folder = place.folder ?? ".";
    const catalogue = await openCatalogue(folder, state.around.prices);
    return await withRun(
      priceContract(input),
      async (run) => {
        const change = await loadChange({ ticket: input.ticket });
        const { project, before, after } = await raise(change, { input, around: state.around, catalogue });
        const confirmation = { project, item: change.item, before, after };
        await writeFile(join(folder, "confirmation.json"), JSON.stringify(confirmation));
        await recordArtifact(run, { name: "confirmation", kind: "json", path: "confirmation.json" });
        run.claim("done", `${change.item} costs ${after}`);
        return `The price of ${change.item} was raised by ${change.percent} %, from ${before} to ${after}.`;
      },
      {
        input,
        state: { around: state.around },
        taskId: input.ticket,
        readState: () => catalogue.all(),
        ...runOptions(place),
      },
    );
  };
