export { patchAnthropic } from "./tool-runner.ts";
