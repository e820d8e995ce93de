/** `node once.js [broken|fixed]` */
import { runOnce } from "../run-once.ts";
import broken from "./broken.ts";
import fixed from "./fixed.ts";

await runOnce({ broken, fixed }, { issue: "12" });
