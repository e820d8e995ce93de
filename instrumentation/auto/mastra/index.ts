export { instrumentMastra } from "./instrument-mastra.ts";
