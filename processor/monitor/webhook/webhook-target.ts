import { createHash } from "node:crypto";
import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { AlertRow } from "../../clickhouse/monitor-rows.ts";
import { alertJson } from "../alert-json.ts";
import type { Notice } from "../notice.ts";
import type { DeliveryOutcome, DeliveryTarget } from "../outbox.ts";
import { allowedAddresses, type GuardOptions, pinnedLookup } from "./guarded-lookup.ts";
import { signatureOf, WEBHOOK_ID_HEADER, WEBHOOK_SIGNATURE_HEADER, WEBHOOK_TIMESTAMP_HEADER } from "./signature.ts";

export interface WebhookOptions extends GuardOptions {
  readonly url: URL;
  readonly secret: string;
  /** For connecting, sending and the answer. Default 10,000. */
  readonly timeoutMillis?: number;
  /** Default: 3 days. */
  readonly patienceMillis?: number;
  readonly now: () => number;
  /** PEM authorities. Default: Node's. */
  readonly ca?: string;
}

/** Nobody reads it; so much is taken before the connection is closed. */
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_RETRY_AFTER_SECONDS = 3_600;
const PATIENCE_MILLIS = 3 * 86_400_000;

/**
 * Posts an alert, signed. Only 2xx is delivered: a redirect is followed nowhere, it could lead inside. The address is
 * checked and then connected to, never asked for again.
 */
export function createWebhookTarget(options: WebhookOptions): DeliveryTarget {
  const { url, timeoutMillis = 10_000 } = options;
  return {
    name: webhookName(url),
    patienceMillis: options.patienceMillis ?? PATIENCE_MILLIS,
    async deliver(item, signal) {
      const notice = item.payload as Notice;
      if (!("alert" in notice)) return { status: "delivered" };
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMillis)]);
      try {
        return await post(item.key, notice.alert, { ...options, signal: limit });
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        const timedOut = limit.aborted && !signal.aborted;
        return { status: "failed", message: timedOut ? "no answer in time" : message || String(code) };
      }
    },
  };
}

/** Without what may be a secret, as paths and queries of webhooks often are; a hash tells two of one host apart. */
export const webhookName = (url: URL): string =>
  `webhook ${url.origin} ${createHash("sha256").update(url.href).digest("hex").slice(0, 8)}`;

async function post(
  id: string,
  alert: AlertRow,
  options: WebhookOptions & { readonly signal: AbortSignal },
): Promise<DeliveryOutcome> {
  const { url, secret, signal, now, ca } = options;
  const addresses = await orAborted(allowedAddresses(url, options), signal);
  const body = JSON.stringify(alertJson(alert));
  const timestamp = Math.floor(now() / 1_000);
  const open = url.protocol === "https:" ? httpsRequest : httpRequest;
  const request = open(url, {
    method: "POST",
    agent: false,
    signal,
    lookup: pinnedLookup(addresses),
    ...(ca !== undefined && { ca }),
    headers: {
      "user-agent": "runproof",
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      [WEBHOOK_ID_HEADER]: id,
      [WEBHOOK_TIMESTAMP_HEADER]: String(timestamp),
      [WEBHOOK_SIGNATURE_HEADER]: signatureOf({ id, timestamp, body }, secret),
    },
  });
  const response = await exchange(request, body);
  await drain(response);
  const { statusCode = 0, headers } = response;
  if (statusCode >= 200 && statusCode < 300) return { status: "delivered" };
  const asked = Number(headers["retry-after"]);
  const wait = asked > 0 ? { waitMillis: Math.min(asked, MAX_RETRY_AFTER_SECONDS) * 1_000 } : {};
  return { status: "failed", message: `HTTP ${statusCode}`, ...wait };
}

/** A resolver cannot be stopped, but nobody has to wait for it. */
function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Error("aborted"));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

const exchange = (request: ClientRequest, body: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", resolve);
    request.end(body);
  });

/** The status is the answer; what follows is read so far as it is small. */
async function drain(response: IncomingMessage): Promise<void> {
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_ANSWER_BYTES) break;
    }
  } catch {
    // Cut short, or out of time: the head said what there was to say.
  }
  response.destroy();
}
