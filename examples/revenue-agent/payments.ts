import { type LocalEndpoint, startEndpoint } from "../scenarios/local-endpoint.ts";

export interface PaymentsOptions {
  /** Answer the first request with 503, after it was booked. Default false. */
  readonly isShaky?: boolean;
  /** Take refunds in, and confirm none of them. Default false. */
  readonly hasSlowRefunds?: boolean;
}

/** What the endpoint answers: a reference only for what is booked. */
export interface Booking {
  readonly status: "booked" | "accepted";
  readonly reference?: string;
}

const PREFIXES: Readonly<Record<string, string>> = {
  "POST /charges": "ch",
  "POST /refunds": "re",
  "POST /credits": "cr",
};

/** A payment endpoint on this machine: charges, refunds and credits, with idempotency keys and references. */
export async function startPayments({
  isShaky = false,
  hasSlowRefunds = false,
}: PaymentsOptions): Promise<LocalEndpoint> {
  const booked = new Map<string, Booking>();
  let requests = 0;
  const book = (route: string, key: string): Booking => {
    if (route === "POST /refunds" && hasSlowRefunds) return { status: "accepted" };
    const known = booked.get(`${route} ${key}`);
    if (known !== undefined) return known;
    const booking = { status: "booked", reference: `${PREFIXES[route] ?? ""}_${booked.size + 1}` } as const;
    booked.set(`${route} ${key}`, booking);
    return booking;
  };
  return await startEndpoint(({ route, headers, body }) => {
    const key = headers["idempotency-key"];
    if (!Object.hasOwn(PREFIXES, route) || typeof key !== "string" || body === undefined) return [400, {}];
    const booking = book(route, key);
    requests += 1;
    return isShaky && requests === 1 ? [503, {}] : [201, booking];
  });
}
