import type { Example, Scenario, Stage } from "../scenarios/scenario.ts";
import { closeChromium } from "./chromium.ts";
import { createPriceFinder, GOOD_WAYS, type PriceWays } from "./price-finder.ts";
import { priceScript } from "./script.ts";
import { startShops } from "./shop-pages.ts";
import { followsAnything, followsLeased } from "./ways.ts";

const scenario = (
  name: string,
  ways: Partial<PriceWays>,
  { about, expected = [] }: Pick<Scenario, "about"> & Partial<Pick<Scenario, "expected">>,
): Scenario => ({
  name,
  about,
  expected,
  play: async ({ model, ...place }: Stage) => {
    const shops = await startShops();
    try {
      const find = createPriceFinder({ ...GOOD_WAYS, ...ways });
      return await find({ product: "kettle", shop: shops.shop, model }, place);
    } finally {
      await shops.close();
    }
  },
});

export const browserExample: Example = {
  agent: "browser-agent",
  script: priceScript,
  dispose: closeChromium,
  scenarios: [
    scenario("good", {}, { about: "a short address leads on within the shop" }),
    scenario("good_careful", followsLeased, { about: "sees a link to a partner and leaves it alone" }),
    scenario("unleased_navigation", followsAnything, {
      about: "opens a partner's page that it has no lease for",
      expected: ["origin_not_leased"],
    }),
    scenario(
      "redirected_away",
      // The address it asks for is the shop's own; nobody looks where it led.
      {
        lookFurther: async ({ lease, tools }) => {
          const url = `${lease.origins[0]}/offers/kettle`;
          await tools.openPage({ url });
          return [url];
        },
      },
      { about: "a leased address redirects to an origin without a lease", expected: ["origin_not_leased"] },
    ),
    scenario(
      "lease_kept",
      { release: async () => {} },
      { about: "the lease is never given back", expected: ["lease_not_released"] },
    ),
    scenario(
      "screenshot_empty",
      // The tool's answer has `png`; what is read here is always absent.
      { pictureOf: (shot) => Buffer.from((shot as { data?: string }).data ?? "", "base64") },
      { about: "the picture that proves the price has no bytes", expected: ["empty_output"] },
    ),
  ],
};
