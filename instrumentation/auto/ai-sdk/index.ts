export { instrumentAiSdk } from "./instrument-ai-sdk.ts";
