import { type BatchTask, createBookkeeper } from "./bookkeeper.ts";
import { readsBothShapes } from "./ways.ts";

const agent = createBookkeeper(readsBothShapes);

export default (task: BatchTask): Promise<string> => agent(task);
