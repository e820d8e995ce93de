import { type Findings, GOOD_WAYS, type PriceWays } from "./price-finder.ts";

/** Opens other offers that the product's page links to; which of them is all that the two agents differ in. */
const alternatives =
  (mayOpen: (url: string, findings: Findings) => boolean) =>
  async (findings: Findings): Promise<string[]> => {
    const links = findings.pages.flatMap(({ links: all }) => all.filter(({ rel }) => rel === "alternate"));
    const urls = [...new Set(links.map(({ href }) => href))].filter((url) => mayOpen(url, findings));
    for (const url of urls) await findings.tools.openPage({ url });
    return urls;
  };

/**
 * The planted silent failure: to be thorough the agent opens every other offer it sees, wherever that is. The page says
 * where it goes, and so anybody who can write on it does.
 */
export const followsAnything: PriceWays = { ...GOOD_WAYS, lookFurther: alternatives(() => true) };

/** The same with the bug mended: what is not leased is not opened. */
export const followsLeased: PriceWays = {
  ...GOOD_WAYS,
  lookFurther: alternatives((url, { lease }) => lease.origins.includes(new URL(url).origin)),
};
