import { type BatchTask, createBookkeeper } from "./bookkeeper.ts";
import { readsNumbersOnly } from "./ways.ts";

const agent = createBookkeeper(readsNumbersOnly);

export default (task: BatchTask): Promise<string> => agent(task);
