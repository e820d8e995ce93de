import { createWatcher, type WatchTask } from "./watcher.ts";
import { resolvesSameService } from "./ways.ts";

const agent = createWatcher(resolvesSameService);

export default (task: WatchTask): Promise<string> => agent(task);
