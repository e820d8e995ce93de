import { createPricer, type PriceTask } from "./pricer.ts";
import { stopsWithoutRate } from "./ways.ts";

const agent = createPricer(stopsWithoutRate);

export default (task: PriceTask): Promise<string> => agent(task);
