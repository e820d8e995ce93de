/** Hosts whose owner speaks the form of another provider. */
const BY_HOST: readonly (readonly [ending: string, provider: string])[] = [
  ["openai.azure.com", "azure.ai.openai"],
  ["services.ai.azure.com", "azure.ai.inference"],
  ["deepseek.com", "deepseek"],
  ["groq.com", "groq"],
  ["mistral.ai", "mistral_ai"],
  ["perplexity.ai", "perplexity"],
  ["x.ai", "x_ai"],
  ["cohere.com", "cohere"],
  ["generativelanguage.googleapis.com", "gcp.gemini"],
  ["aiplatform.googleapis.com", "gcp.vertex_ai"],
];

/** `gen_ai.provider.name`: whose host it is, else whose form (a gateway, a local server). */
export function providerName(url: URL, otherwise: string): string {
  const known = BY_HOST.find(([ending]) => url.hostname === ending || url.hostname.endsWith(`.${ending}`));
  if (known !== undefined) return known[1];
  return AZURE_PATH.test(url.pathname) ? "azure.ai.openai" : otherwise;
}

/** `/openai/deployments/{deployment}/…` names the model in the place of the body. */
const AZURE_PATH = /^\/openai\/deployments\/([^/]+)\//;

export const azureDeployment = ({ pathname }: URL): string | undefined => AZURE_PATH.exec(pathname)?.[1];
