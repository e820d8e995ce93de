import { X509Certificate, createPrivateKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";

/** Options of a TLS listener, checked. */
export interface ReceiverTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
  /** Ask for a client certificate, and end the handshake without one that `ca` signed. */
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
  readonly minVersion: "TLSv1.2";
}

export interface TlsFiles {
  /** PEM certificate, with the chain after it. */
  readonly certFile: string;
  /** PEM private key. */
  readonly keyFile: string;
  /** PEM authorities of client certificates. With it every client must have one. */
  readonly clientCaFile?: string;
}

/** Reads and checks the files once; a change needs a restart. @throws Error that names the setting and the file */
export async function readTlsFiles({ certFile, keyFile, clientCaFile }: TlsFiles): Promise<ReceiverTls> {
  const cert = await read("tlsCertFile", certFile);
  const key = await read("tlsKeyFile", keyFile);
  const ca = clientCaFile === undefined ? undefined : await read("tlsClientCaFile", clientCaFile);
  const leaf = check("tlsCertFile", certFile, "a PEM certificate", () => new X509Certificate(cert));
  const privateKey = check("tlsKeyFile", keyFile, "a PEM private key without passphrase", () => createPrivateKey(key));
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new Error(`tlsKeyFile: the key in ${keyFile} does not belong to the certificate in ${certFile}`);
  }
  if (ca !== undefined)
    check("tlsClientCaFile", clientCaFile ?? "", "a PEM certificate", () => new X509Certificate(ca));
  const guarded = ca !== undefined;
  const tls: ReceiverTls = {
    cert,
    key,
    ...(guarded && { ca }),
    requestCert: guarded,
    rejectUnauthorized: guarded,
    minVersion: "TLSv1.2",
  };
  check("tlsCertFile", certFile, "usable for TLS", () => createSecureContext({ cert, key, ...(guarded && { ca }) }));
  return tls;
}

async function read(setting: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown error";
    throw new Error(`${setting}: cannot read ${path} (${code})`, { cause });
  }
}

function check<Value>(setting: string, path: string, what: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (cause) {
    // OpenSSL's words never quote the file.
    throw new Error(`${setting}: ${path} is not ${what} (${(cause as Error).message})`, { cause });
  }
}
