import { type EndpointAnswer, type LocalEndpoint, startEndpoint } from "../scenarios/local-endpoint.ts";

/** What a carrier answers. Its maintenance page is a 200 too. */
export type LabelAnswer =
  | { readonly status: "created"; readonly tracking: string }
  | { readonly status: "maintenance"; readonly until: string };

export interface CarrierOptions {
  /** How many labels it makes before its maintenance begins. Default: it has none. */
  readonly labelsUntilMaintenance?: number;
}

/** Makes labels for parcels, and takes note of parcels that cannot be sent. */
export function startCarrier({ labelsUntilMaintenance = Infinity }: CarrierOptions = {}): Promise<LocalEndpoint> {
  let labels = 0;
  let rejections = 0;
  return startEndpoint(({ route }): EndpointAnswer => {
    if (route === "POST /rejections") return [201, { reference: `rj_${++rejections}` }];
    if (route !== "POST /labels") return [404, {}];
    if (labels >= labelsUntilMaintenance) return [200, { status: "maintenance", until: "2026-11-22T04:00:00Z" }];
    return [201, { status: "created", tracking: `tr_${++labels}` }];
  });
}
