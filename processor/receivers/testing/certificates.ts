import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** PEM files of one certificate. */
export interface TestCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** A directory of certificates that lives as long as the test. */
export interface TestAuthority extends Disposable {
  readonly caFile: string;
  readonly ca: Buffer;
  readonly directory: string;
  /** `san` as OpenSSL writes it: `DNS:a.example,URI:spiffe://x/y`. */
  issue(commonName: string, san: string): TestCertificate;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** A certificate authority made with the `openssl` command. */
export function createTestAuthority(): TestAuthority {
  const directory = mkdtempSync(join(tmpdir(), "runproof-tls-"));
  const at = (name: string): string => join(directory, name);
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { stdio: "pipe" });
  const caKey = at("ca.key");
  const caFile = at("ca.pem");
  openssl("req", "-x509", ...KEY, "-keyout", caKey, "-out", caFile, "-days", "2", "-subj", "/CN=Test authority");
  let serial = 0;
  return {
    caFile,
    ca: readFileSync(caFile),
    directory,
    issue(commonName, san) {
      const name = `leaf-${++serial}`;
      const [keyFile, request, certFile, extensions] = [".key", ".csr", ".pem", ".ext"].map((end) => at(name + end));
      writeFileSync(extensions!, `subjectAltName=${san}\n`);
      openssl("req", "-new", ...KEY, "-keyout", keyFile!, "-out", request!, "-subj", `/CN=${commonName}`);
      const signed = ["-CA", caFile, "-CAkey", caKey, "-set_serial", String(serial), "-days", "2"];
      openssl("x509", "-req", "-in", request!, ...signed, "-extfile", extensions!, "-out", certFile!);
      return {
        certFile: certFile!,
        keyFile: keyFile!,
        cert: readFileSync(certFile!),
        key: readFileSync(keyFile!),
      };
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  };
}
