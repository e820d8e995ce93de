export { instrumentLangChain } from "./instrument-langchain.ts";
