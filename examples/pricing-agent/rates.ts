import { type EndpointAnswer, type LocalEndpoint, startEndpoint } from "../scenarios/local-endpoint.ts";

export interface Rate {
  readonly currency: string;
  readonly rate: number;
}

export interface RatesOptions {
  /** How often it is asked for dollars before it answers anything but 429. Default 0. */
  readonly throttled?: number;
}

const RATES: Readonly<Record<string, number>> = { GBP: 0.84, USD: 1.21 };

/** Exchange rates of the day, from an endpoint that can be asked too often. */
export function startRates({ throttled = 0 }: RatesOptions = {}): Promise<LocalEndpoint> {
  let asked = 0;
  return startEndpoint(({ query }): EndpointAnswer => {
    const currency = query.get("currency") ?? "";
    const rate = RATES[currency];
    if (rate === undefined) return [404, {}];
    if (currency === "USD" && asked++ < throttled) return [429, {}];
    return [200, { currency, rate }];
  });
}
