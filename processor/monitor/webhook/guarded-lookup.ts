import { lookup as systemLookup, type LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { addressKind } from "./public-address.ts";

/** A webhook leads where this service must not send anything. */
export class WebhookAddressError extends Error {
  readonly code = "RUNPROOF_WEBHOOK_ADDRESS";
}

/** All addresses of a name. */
export type ResolveAll = (hostname: string) => Promise<readonly LookupAddress[]>;

export const resolveWithSystem: ResolveAll = (hostname) =>
  new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true, verbatim: true }, (error, addresses) =>
      error ? reject(error) : resolve(addresses),
    );
  });

export interface GuardOptions {
  /** Let addresses through that are private or this machine's. Metadata and link-local ones are never let through. */
  readonly allowPrivate: boolean;
  /** Default: the system's resolver. */
  readonly resolve?: ResolveAll;
}

/**
 * Where a URL leads, decided once: the connection goes to these very addresses. A name that answers differently the second
 * time (DNS rebinding) has no second time. One address among them that is refused refuses them all.
 *
 * @throws WebhookAddressError
 */
export async function allowedAddresses(url: URL, options: GuardOptions): Promise<readonly LookupAddress[]> {
  const { allowPrivate, resolve = resolveWithSystem } = options;
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const version = isIP(host);
  const addresses = version === 0 ? await resolve(host) : [{ address: host, family: version }];
  const kinds = new Set(addresses.map(({ address }) => addressKind(address)));
  if (addresses.length === 0) throw new WebhookAddressError(`${host} has no address`);
  if (kinds.has("metadata")) throw new WebhookAddressError(`${host} leads to a link-local or metadata address`);
  if (kinds.has("private") && !allowPrivate) {
    throw new WebhookAddressError(`${host} leads to a private address (webhookAllowPrivate is off)`);
  }
  if (kinds.has("public") && url.protocol !== "https:") {
    throw new WebhookAddressError(`${host} is on the internet: its webhook must be https`);
  }
  return addresses;
}

/** Answers a connection's question for addresses with those that were allowed, whatever the name says now. */
export const pinnedLookup =
  (addresses: readonly LookupAddress[]): LookupFunction =>
  (_hostname, { all }, callback) => {
    const [first] = addresses;
    if (all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? "", first?.family ?? 4);
  };
