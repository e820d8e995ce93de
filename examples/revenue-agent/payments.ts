import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A payment endpoint on this machine: charges, refunds and credits, with idempotency keys and references. */
export interface Payments {
  readonly url: string;
  close(): Promise<void>;
}

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

const PREFIXES: Readonly<Record<string, string>> = { "/charges": "ch", "/refunds": "re", "/credits": "cr" };
const MAX_BODY_BYTES = 10_000;

export async function startPayments({ isShaky = false, hasSlowRefunds = false }: PaymentsOptions): Promise<Payments> {
  const booked = new Map<string, Booking>();
  let requests = 0;
  const book = (path: string, key: string): Booking => {
    if (path === "/refunds" && hasSlowRefunds) return { status: "accepted" };
    const known = booked.get(`${path} ${key}`);
    if (known !== undefined) return known;
    const booking = { status: "booked", reference: `${PREFIXES[path] ?? ""}_${booked.size + 1}` } as const;
    booked.set(`${path} ${key}`, booking);
    return booking;
  };
  const server = createServer((request, response) => {
    const key = request.headers["idempotency-key"];
    const path = request.url ?? "";
    void bodyOf(request).then((body) => {
      if (!Object.hasOwn(PREFIXES, path) || typeof key !== "string" || body === undefined)
        return send(response, 400, {});
      const booking = book(path, key);
      requests += 1;
      return isShaky && requests === 1 ? send(response, 503, {}) : send(response, 201, booking);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) text = `${text}${String(chunk)}`.slice(0, MAX_BODY_BYTES);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const send = (response: ServerResponse, status: number, value: object): void =>
  void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
