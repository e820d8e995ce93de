import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { browserContract, withRun } from "../../instrumentation/index.ts";
import { type AgentTool, converse, type ModelPlace } from "../local-model/converse.ts";
import { type RunPlace, runOptions } from "../scenarios/run-place.ts";
import { browserTools, type BrowserTools, type Lease } from "./browser-tools.ts";
import type { SeenPage } from "./chromium.ts";

export interface PriceTask {
  readonly product: string;
  /** Origin of the shop. */
  readonly shop: string;
  readonly model: ModelPlace;
}

/** What a visit came to. */
export interface Findings {
  readonly pages: readonly SeenPage[];
  readonly lease: Lease;
  readonly tools: BrowserTools;
}

/** The places where this agent can go wrong without a word. */
export interface PriceWays {
  /** Where else it looks before it answers; gives the addresses it saw. */
  readonly lookFurther: (findings: Findings) => Promise<readonly string[]>;
  readonly release: (lease: Lease, tools: BrowserTools) => Promise<unknown>;
  readonly pictureOf: (shot: { readonly png: string }) => Buffer;
}

export const GOOD_WAYS: PriceWays = {
  lookFurther: async () => [],
  release: ({ lease }, tools) => tools.releaseLease({ lease }),
  pictureOf: ({ png }) => Buffer.from(png, "base64"),
};

const contract = browserContract({
  agent: "browser-agent",
  lease: { tool: "lease_origins", release: "release_lease" },
  visits: [{ tool: "open_page", asked: "/url", landed: "/visited/*" }],
  artifacts: [
    { name: "screenshot", path: "out/screenshot.png", minBytes: 100 },
    { name: "price", path: "out/price.json", minBytes: 20 },
  ],
  tools: ["lease_origins", "release_lease", "open_page", "take_screenshot"],
  limits: { timeoutSeconds: 120, maxSteps: 40 },
});

/** Leases a shop, has a model look a price up there, and keeps what it saw as a picture. */
export const createPriceFinder =
  (ways: PriceWays) =>
  (input: PriceTask, place: RunPlace = {}): Promise<string> =>
    withRun(
      contract,
      async (run) => {
        const tools = browserTools();
        const pages: SeenPage[] = [];
        let shot = { png: "" };
        const lease = await tools.leaseOrigins({ origins: [input.shop] });
        try {
          const price = await converse({
            model: input.model,
            system: `You find prices in the shop ${input.shop}. Search at /search?q=, open the product, take a screenshot of it, and answer with the price alone.`,
            task: `What does this cost: ${input.product}`,
            tools: toolsFor(tools, { seen: (page) => pages.push(page), shot: (taken) => (shot = taken) }),
          });
          const further = await ways.lookFurther({ pages, lease, tools });
          await save(join(place.folder ?? ".", "out/screenshot.png"), ways.pictureOf(shot));
          const report = { product: input.product, price, further };
          await save(join(place.folder ?? ".", "out/price.json"), JSON.stringify(report, null, 2));
          run.claim("done", "price found");
          return `The ${input.product} costs ${price}; see out/screenshot.png.`;
        } finally {
          await ways.release(lease, tools);
          await tools.close();
        }
      },
      { input, taskId: `price:${input.product}`, model: input.model.name, ...runOptions(place) },
    );

async function save(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

interface Watcher {
  readonly seen: (page: SeenPage) => void;
  readonly shot: (taken: { readonly png: string }) => void;
}

const toolsFor = (tools: BrowserTools, watcher: Watcher): readonly AgentTool[] => [
  {
    name: "open_page",
    description: "Opens a page and reads it.",
    parameters: { type: "object", properties: { url: { type: "string" } }, required: ["url"] },
    run: async (args: { url: string }, options) => {
      const page = await tools.openPage(args, options);
      watcher.seen(page);
      return { title: page.title, text: page.text, links: page.links };
    },
  },
  {
    name: "take_screenshot",
    description: "Takes a picture of the page that is open.",
    parameters: { type: "object" },
    run: async (_args: object, options) => {
      watcher.shot(await tools.takeScreenshot({}, options));
      return { taken: true };
    },
  },
];
