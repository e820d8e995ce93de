import { createPriceFinder, type PriceTask } from "./price-finder.ts";
import { followsAnything } from "./ways.ts";

const agent = createPriceFinder(followsAnything);

export default (task: PriceTask): Promise<string> => agent(task);
