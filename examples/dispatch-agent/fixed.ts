import { createDispatcher, type DispatchTask } from "./dispatcher.ts";
import { stopsInMaintenance } from "./ways.ts";

const agent = createDispatcher(stopsInMaintenance);

export default (task: DispatchTask): Promise<string> => agent(task);
