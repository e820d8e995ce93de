import { type SideEffectClass, wrapTool } from "../../instrumentation/index.ts";
import type { Booking } from "./payments.ts";

/** What is to be moved, and the key under which the endpoint knows the request again. */
export interface Payment {
  readonly invoice: string;
  readonly cents: number;
  readonly idempotencyKey: string;
}

/** The tools for one payment endpoint. A request that fails is made again with its key. */
export function paymentTools(url: string) {
  const tool = (name: string, path: string, sideEffect: SideEffectClass = "money") =>
    wrapTool<Payment, Promise<Booking>>(
      { name, sideEffect, retries: 2, retryWaitMillis: 5, referenceOf: ({ reference }) => reference },
      (payment) => post(`${url}${path}`, payment),
    );
  return { charge: tool("charge", "/charges"), refund: tool("refund", "/refunds"), credit: tool("credit", "/credits") };
}

export type PaymentTools = ReturnType<typeof paymentTools>;

async function post(url: string, { idempotencyKey, ...body }: Payment): Promise<Booking> {
  const headers = { "content-type": "application/json", "idempotency-key": idempotencyKey };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (response.ok) return (await response.json()) as Booking;
  throw Object.assign(new Error(`the payment endpoint answered ${response.status}`), { status: response.status });
}
