import { createWatcher } from "../../oncall-agent/watcher.ts";
import { alertsOncePerRun, losesRefused, resolvesSameService } from "../../oncall-agent/ways.ts";
import { seeded } from "./seeded.ts";

export default seeded(
  { alert_resolved: resolvesSameService, alert_storm: alertsOncePerRun, alert_lost: losesRefused },
  createWatcher,
);
