import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** Names on the client certificate of a connection, if it was verified against the configured authority: CN and SANs. */
export function certificateNamesOf(socket: Socket | TLSSocket | undefined): readonly string[] {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return [];
  const { subject, subjectaltname } = socket.getPeerCertificate();
  const commonNames = subject?.CN === undefined ? [] : [subject.CN].flat();
  return [...commonNames, ...namesFromSan(subjectaltname ?? "")];
}

const NAME_TYPES = ["DNS:", "URI:", "email:"];

/** `DNS:a.example, URI:spiffe://x/y`. A quoted entry holds characters that could forge another; none is believed. */
function namesFromSan(text: string): string[] {
  if (text.includes('"')) return [];
  return text.split(", ").flatMap((entry) => {
    const type = NAME_TYPES.find((prefix) => entry.startsWith(prefix));
    return type === undefined ? [] : [entry.slice(type.length)];
  });
}
