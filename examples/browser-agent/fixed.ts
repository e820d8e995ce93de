import { createPriceFinder, type PriceTask } from "./price-finder.ts";
import { followsLeased } from "./ways.ts";

const agent = createPriceFinder(followsLeased);

export default (task: PriceTask): Promise<string> => agent(task);
