import { getCACertificates } from "node:tls";

/** PEM of the authorities that Node brings along, `NODE_EXTRA_CA_CERTS` among them, and of those the system trusts. */
export const knownAuthorities = (): string[] => [
  ...new Set([...getCACertificates("default"), ...getCACertificates("system")]),
];
