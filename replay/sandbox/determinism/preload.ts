/** Loaded before everything else into each process and thread of a replay. Outside of one it changes nothing. */
import { syncBuiltinESMExports } from "node:module";
import { keepRealSources } from "../../../instrumentation/real-sources.ts";
import { frozenMillis } from "./current-world.ts";
import { freezeDate, freezePerformance, freezeProcessClock } from "./frozen-clock.ts";
import { freezeTemporal } from "./frozen-temporal.ts";
import { enterInheritedWorld, handWorldOn } from "./inherited-world.ts";
import { seedRandom } from "./seeded-random.ts";

if (enterInheritedWorld()) {
  keepRealSources();
  freezeDate(globalThis, frozenMillis);
  freezePerformance(globalThis, frozenMillis);
  freezeProcessClock(frozenMillis);
  freezeTemporal(globalThis, frozenMillis);
  seedRandom(frozenMillis);
  handWorldOn();
  // Timers stay real: with frozen ones `fetch` never ends.
  syncBuiltinESMExports();
}
