export { patchOpenai } from "./run-tools.ts";
