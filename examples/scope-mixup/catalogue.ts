import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { wrapTool } from "../../instrumentation/index.ts";

/** Prices in cents, by project and item. */
export type Prices = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** The catalogue of each project, a file each, as two databases would be. */
export interface Catalogue {
  price(project: string, item: string): Promise<number>;
  setPrice(project: string, item: string, cents: number): Promise<void>;
  all(): Promise<Record<string, Record<string, number>>>;
}

/** Opens catalogues with these prices in them. */
export async function openCatalogue(folder: string, prices: Prices): Promise<Catalogue> {
  const path = (project: string): string => join(folder, "catalogue", `${project}.json`);
  const read = async (project: string) => JSON.parse(await readFile(path(project), "utf8")) as Record<string, number>;
  await mkdir(join(folder, "catalogue"), { recursive: true });
  for (const [project, items] of Object.entries(prices)) await writeFile(path(project), JSON.stringify(items));
  return {
    async price(project, item) {
      const cents = (await read(project))[item];
      if (cents === undefined) throw new Error(`${project} has no ${item}`);
      return cents;
    },
    async setPrice(project, item, cents) {
      await writeFile(path(project), JSON.stringify({ ...(await read(project)), [item]: cents }));
    },
    async all() {
      const projects = Object.keys(prices);
      return Object.fromEntries(await Promise.all(projects.map(async (one) => [one, await read(one)] as const)));
    },
  };
}

/** Somebody else's system says what is to be changed. */
export const loadChange = wrapTool(
  { name: "load_change", sideEffect: "read" },
  async ({ ticket }: { ticket: string }) => ({
    ticket,
    item: "mug",
    percent: 10,
  }),
);
