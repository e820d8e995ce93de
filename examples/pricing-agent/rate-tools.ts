import { wrapTool } from "../../instrumentation/index.ts";
import { askEndpoint } from "../scenarios/ask-endpoint.ts";
import type { Rate } from "./rates.ts";

/** Further tries at a rate. */
export const MAX_RETRIES = 3;

/** The tools for one endpoint. A request that fails is made again, and in the end it has failed. */
export const rateTools = (url: string) => ({
  fetchRate: wrapTool(
    { name: "fetch_rate", sideEffect: "read", retries: MAX_RETRIES, retryWaitMillis: 5 },
    ({ currency, day }: { currency: string; day: string }) =>
      askEndpoint<Rate>(`${url}/rates?${new URLSearchParams({ currency, day }).toString()}`),
  ),
});
