/** `node once.js [broken|fixed]` */
import { runOnce } from "../run-once.ts";
import broken from "./broken.ts";
import fixed from "./fixed.ts";

await runOnce(
  { broken: (input) => broken(input), fixed: (input) => fixed(input) },
  { ticket: "T-17", project: "staging" },
);
