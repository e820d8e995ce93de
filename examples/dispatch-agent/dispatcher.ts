import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { defineContract, type RunContract, withRun } from "../../instrumentation/index.ts";
import { type RunPlace, runOptions } from "../scenarios/run-place.ts";
import { type CarrierTools, carrierTools } from "./carrier-tools.ts";

export interface Parcel {
  readonly parcel: string;
  readonly postcode: string;
}

export interface DispatchTask {
  readonly parcels: readonly Parcel[];
  /** URL of the carrier. */
  readonly carrier: string;
}

/** The place where this agent can go wrong without a word. */
export interface DispatchWays {
  /** What the manifest says of a parcel without a label; `undefined`: the carrier is away, and the work stops. */
  readonly withoutLabel: (parcel: Parcel, tools: CarrierTools) => Promise<string | undefined>;
}

const MANIFEST = "out/manifest.json";

/** Each parcel is labelled exactly once, the carrier confirmed it, and the manifest lists them all. */
const contractFor = ({ parcels }: DispatchTask): RunContract =>
  defineContract({
    agent: "dispatch-agent",
    artifacts: [
      {
        name: "manifest",
        kind: "json",
        path: MANIFEST,
        schema: {
          type: "array",
          minItems: parcels.length,
          items: { type: "object", required: ["parcel", "tracking"] },
        },
      },
    ],
    tools: { allowed: ["create_label", "reject_parcel"] },
    sideEffects: {
      expected: parcels.map(({ parcel, postcode }) => ({
        tool: "create_label",
        arguments: { parcel, postcode },
        confirmedBy: "reference" as const,
      })),
      others: "forbid",
    },
    limits: { timeoutSeconds: 60, maxSteps: 20 },
  });

/** Has a carrier label parcels, and writes the manifest for its driver. */
export const createDispatcher =
  (ways: DispatchWays) =>
  (input: DispatchTask, place: RunPlace = {}): Promise<string> =>
    withRun(
      contractFor(input),
      async (run) => {
        const tools = carrierTools(input.carrier);
        const manifest: { parcel: string; tracking: string }[] = [];
        for (const parcel of input.parcels) {
          const label = await tools.createLabel(parcel);
          const tracking = label.status === "created" ? label.tracking : await ways.withoutLabel(parcel, tools);
          if (tracking === undefined) {
            run.claim("blocked", "the carrier is in maintenance");
            return `${manifest.length} of ${input.parcels.length} parcels are labelled; the carrier is in maintenance.`;
          }
          manifest.push({ parcel: parcel.parcel, tracking });
        }
        const path = join(place.folder ?? "", MANIFEST);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, JSON.stringify(manifest));
        run.claim("done", `${manifest.length} parcels dispatched`);
        return `All ${manifest.length} parcels are dispatched; the manifest is with the driver.`;
      },
      { input, taskId: `dispatch:${input.parcels[0]?.parcel ?? "none"}`, ...runOptions(place) },
    );
