import { createDispatcher, type DispatchTask } from "./dispatcher.ts";
import { takesOutageForSuccess } from "./ways.ts";

const agent = createDispatcher(takesOutageForSuccess);

export default (task: DispatchTask): Promise<string> => agent(task);
