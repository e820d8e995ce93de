import { createWatcher, type WatchTask } from "./watcher.ts";
import { alertsOncePerClass } from "./ways.ts";

const agent = createWatcher(alertsOncePerClass);

export default (task: WatchTask): Promise<string> => agent(task);
