import { wrapTool } from "../../instrumentation/index.ts";
import { askEndpoint } from "../scenarios/ask-endpoint.ts";

/** One kind of failure, and the service it was seen in first. */
export interface Alert {
  readonly failureClass: string;
  readonly service: string;
}

/** The tools for one pager. A request that fails is made once more. */
export const pagerTools = (url: string) => ({
  sendAlert: wrapTool<Alert, Promise<{ readonly reference: string }>>(
    {
      name: "send_alert",
      sideEffect: "network",
      retries: 1,
      retryWaitMillis: 5,
      referenceOf: ({ reference }) => reference,
    },
    (alert) => askEndpoint(`${url}/alerts`, alert),
  ),
  resolveAlert: wrapTool(
    { name: "resolve_alert", sideEffect: "network" },
    (resolution: { readonly reference: string; readonly reason: string }) =>
      askEndpoint<{ readonly resolved: boolean }>(`${url}/resolutions`, resolution),
  ),
});

export type PagerTools = ReturnType<typeof pagerTools>;
