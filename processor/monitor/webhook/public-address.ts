import { BlockList, isIP } from "node:net";

/** IPv4 networks that are nobody's on the internet (IANA's special-purpose registry). */
const SPECIAL_V4: readonly (readonly [network: string, prefix: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/** Within the global unicast space: tunnels that carry an IPv4 address of anybody's choice, and examples. */
const SPECIAL_V6: readonly (readonly [network: string, prefix: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const special = new BlockList();
for (const [network, prefix] of SPECIAL_V4) special.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of SPECIAL_V6) special.addSubnet(network, prefix, "ipv6");

/** All of IPv6 that is routed: loopback, mapped and translated IPv4, link-local and private addresses lie outside. */
const unicast = new BlockList();
unicast.addSubnet("2000::", 3, "ipv6");

/** Machines tell their credentials there, to whoever asks from within. */
const metadata = new BlockList();
metadata.addSubnet("169.254.0.0", 16, "ipv4");
metadata.addSubnet("fe80::", 10, "ipv6");
metadata.addAddress("fd00:ec2::254", "ipv6");
metadata.addAddress("100.100.100.200", "ipv4");

export type AddressKind = "public" | "private" | "metadata";

/** What an address that a name was resolved to leads to. What is no address is `metadata`: never to be asked. */
export function addressKind(address: string): AddressKind {
  const version = isIP(address);
  if (version === 0 || address.includes("%")) return "metadata";
  const family = version === 4 ? "ipv4" : "ipv6";
  const mapped = version === 6 ? mappedV4(address) : undefined;
  if (mapped !== undefined) return addressKind(mapped) === "metadata" ? "metadata" : "private";
  if (metadata.check(address, family)) return "metadata";
  if (special.check(address, family)) return "private";
  return version === 4 || unicast.check(address, "ipv6") ? "public" : "private";
}

/** The IPv4 address within `::ffff:a.b.c.d`, however it is written. */
function mappedV4(address: string): string | undefined {
  const text = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text) ?? [];
  if (high === undefined || low === undefined) return undefined;
  const bytes = [high, low].flatMap((part) => {
    const word = Number.parseInt(part, 16);
    return [word >> 8, word & 255];
  });
  return bytes.join(".");
}
