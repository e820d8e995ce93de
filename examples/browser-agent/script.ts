import type { Script } from "../local-model/script.ts";

interface Page {
  readonly text?: string;
  readonly links?: readonly { readonly href: string; readonly rel: string }[];
}

/** Searches, opens the first hit, takes a picture, and reads the price off the page. */
export const priceScript: Script = ({ task, system, results }) => {
  const [found, product] = results as Page[];
  const shop = /shop (\S+)\. /.exec(system)?.[1] ?? "";
  const query = encodeURIComponent(task.split(": ").at(-1) ?? "");
  if (found === undefined) return { call: [["open_page", { url: `${shop}/search?q=${query}` }]] };
  if (product === undefined) return { call: [["open_page", { url: found.links?.[0]?.href ?? "" }]] };
  if (results.length === 2) return { call: [["take_screenshot", {}]] };
  return { say: /\d+\.\d\d EUR/.exec(product.text ?? "")?.[0] ?? "I did not find it" };
};
