import { createPricer, type PriceTask } from "./pricer.ts";
import { takesLastRate } from "./ways.ts";

const agent = createPricer(takesLastRate);

export default (task: PriceTask): Promise<string> => agent(task);
