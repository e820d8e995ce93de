import { type EndpointAnswer, type LocalEndpoint, startEndpoint } from "../scenarios/local-endpoint.ts";

export interface PagerOptions {
  /** Requests it answers with 503 before it takes anything. Default 0. */
  readonly refused?: number;
}

/** Wakes people up: each alert it takes gets a reference; a resolved one wakes nobody. */
export function startPager({ refused = 0 }: PagerOptions = {}): Promise<LocalEndpoint> {
  let requests = 0;
  let alerts = 0;
  return startEndpoint(({ route }): EndpointAnswer => {
    if (requests++ < refused) return [503, {}];
    if (route === "POST /alerts") return [201, { reference: `al_${++alerts}` }];
    if (route === "POST /resolutions") return [200, { resolved: true }];
    return [404, {}];
  });
}
