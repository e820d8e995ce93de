import { hostname, networkInterfaces } from "node:os";

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Default ports of the two schemes, which `URL` leaves out. */
const portOf = ({ port, protocol }: URL): number => (port === "" ? (protocol === "https:" ? 443 : 80) : Number(port));

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/;
const ANY = /^(0\.0\.0\.0|::)$/;

/**
 * Whether requests to the endpoint would come back to one of these listeners. By address only: a name or a proxy in between
 * that leads back here is not noticed. Port 0, a free one, is nobody's.
 */
export function leadsToOneself(endpoint: URL, listeners: readonly ListenAddress[]): boolean {
  const host = plainHost(endpoint.hostname);
  const port = portOf(endpoint);
  return listeners.some((own) => own.port === port && own.port !== 0 && reaches(host, plainHost(own.host)));
}

function reaches(host: string, own: string): boolean {
  if (host === own || ANY.test(host)) return true;
  if (LOOPBACK.test(own)) return LOOPBACK.test(host);
  return ANY.test(own) && (LOOPBACK.test(host) || ownNames().has(host));
}

const plainHost = (host: string): string => host.replace(/^\[(.*)\]$/, "$1").toLowerCase();

const ownNames = (): Set<string> =>
  new Set([
    hostname().toLowerCase(),
    ...Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address)),
  ]);
