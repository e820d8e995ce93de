import { BlockList, isIP } from "node:net";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether only this machine reaches a listener on `host`. A name other than `localhost` may mean any address. */
export function isLoopback(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return host.toLowerCase() === "localhost";
  return LOOPBACK.check(host, version === 4 ? "ipv4" : "ipv6");
}

export interface Exposure {
  readonly host: string;
  /** A token or a client certificate is asked of everybody. */
  readonly guarded: boolean;
  /** The operator said that everybody may send. */
  readonly allowUnauthenticated: boolean;
}

/** @throws Error when a listener would take data from the network without asking who sends it */
export function assertExposureAllowed({ host, guarded, allowUnauthenticated }: Exposure): void {
  if (guarded || allowUnauthenticated || isLoopback(host)) return;
  throw new Error(
    `refusing to listen on ${host}: everybody who reaches it could write. Configure tokens (tokensFile) or client ` +
      `certificates (tlsClientCaFile), listen on 127.0.0.1, or set allowUnauthenticated to true.`,
  );
}
