export { instrumentOpenAiAgents } from "./instrument-openai-agents.ts";
