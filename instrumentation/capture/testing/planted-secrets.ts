import { createHash } from "node:crypto";

/** One made-up secret per kind. Assembled from parts, so that no secret scanner takes this file for a leak. */
const hex = (length: number): string =>
  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".slice(0, length);
const mixed = (length: number): string => "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6".slice(0, length);
const pem = (kind: string): string =>
  [`-----BEGIN ${kind}PRIVATE KEY-----`, mixed(48), mixed(20), `-----END ${kind}PRIVATE KEY-----`].join("\n");
const jwt = ["eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiJhbGljZSJ9", mixed(43)].join(".");

/** `text` is what may be planted; `raw` must never be seen again. */
export interface PlantedSecret {
  readonly kind: string;
  readonly text: string;
  readonly raw: string;
}

const bare = (kind: string, raw: string): PlantedSecret => ({ kind, text: raw, raw });

export const PLANTED_SECRETS: readonly PlantedSecret[] = [
  bare("openai", `sk-proj-${mixed(40)}`),
  bare("anthropic", `sk-ant-api03-${mixed(48)}`),
  bare("aws access key", `AKIA${"IOSFODNN7EXAMPLE"}`),
  bare("aws session key", `ASIA${"Y34FZKBOKMUTVV7A"}`),
  { kind: "aws secret key", text: `aws_secret_access_key=${mixed(40)}`, raw: mixed(40) },
  bare("github classic", `ghp_${mixed(36)}`),
  bare("github oauth", `gho_${mixed(36)}`),
  bare("github fine-grained", `github_pat_${mixed(22)}_${mixed(40)}`),
  bare("gitlab", `glpat-${mixed(20)}`),
  bare("slack bot", `xoxb-123456789012-${mixed(24)}`),
  bare("google api key", `AIza${mixed(35)}`),
  bare("google oauth", `ya29.${mixed(40)}`),
  bare("npm", `npm_${mixed(36)}`),
  bare("hugging face", `hf_${mixed(34)}`),
  bare("sendgrid", `SG.${mixed(22)}.${mixed(43)}`),
  bare("stripe secret", `sk_live_${mixed(24)}`),
  bare("stripe restricted", `rk_live_${mixed(24)}`),
  bare("twilio", `SK${hex(32)}`),
  { kind: "bearer", text: `Authorization: Bearer ${mixed(30)}`, raw: mixed(30) },
  { kind: "basic", text: "Authorization: Basic YWxpY2U6aHVudGVyMjI=", raw: "YWxpY2U6aHVudGVyMjI=" },
  bare("jwt", jwt),
  bare("pem", pem("RSA ")),
  bare("pem pkcs8", pem("")),
  { kind: "connection string", text: "postgres://app:tr0ub4dor@db.internal:5432/x", raw: "tr0ub4dor" },
  bare("card", "4111 1111 1111 1111"),
  bare("iban", "DE89 3704 0044 0532 0130 00"),
  bare("ssn", "078-05-1120"),
  bare("email", "alice.smith@example.org"),
  { kind: "cookie", text: "Cookie: sid=s3cr3tsid; theme=dark", raw: "s3cr3tsid" },
  { kind: "password", text: "password=correct-horse-7", raw: "correct-horse-7" },
  { kind: "client secret", text: 'client_secret: "zq8~longClientSecret"', raw: "zq8~longClientSecret" },
  { kind: "query token", text: "https://x.example/cb?access_token=qwertyuiop1&n=1", raw: "qwertyuiop1" },
];

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = LOWER.toUpperCase();
const DIGITS = "0123456789";
const WORD = LOWER + UPPER + DIGITS;

/** Characters drawn from a seed: the same for the same seed, and no two calls alike. */
interface Draw {
  of(alphabet: string, length: number): string;
  number(below: number): number;
}

function createDraw(seed: string): Draw {
  let block = Buffer.alloc(0);
  let at = 0;
  let counter = 0;
  const number = (below: number): number => {
    if (at + 4 > block.length) {
      block = createHash("sha512").update(`${seed}/${counter++}`).digest();
      at = 0;
    }
    const value = block.readUInt32BE(at);
    at += 4;
    return value % below;
  };
  const of = (alphabet: string, length: number): string =>
    Array.from({ length }, () => alphabet.charAt(number(alphabet.length))).join("");
  return { of, number };
}

/** A token as issuers make it; a digit is always there. */
const token = (draw: Draw, length: number): string => `${draw.of(WORD, length - 2)}7${draw.of(LOWER, 1)}`;
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function luhn(digits: string): string {
  const sum = Array.from(digits)
    .toReversed()
    .reduce((total, digit, i) => {
      const doubled = Number(digit) * 2;
      return total + (i % 2 === 0 ? (doubled > 9 ? doubled - 9 : doubled) : Number(digit));
    }, 0);
  return digits + String((10 - (sum % 10)) % 10);
}

function iban(account: string): string {
  const rest = Array.from(`${account}131400`).reduce((left, digit) => (left * 10 + Number(digit)) % 97, 0);
  return `DE${String(98 - rest).padStart(2, "0")}${account}`.replace(/(.{4})(?=.)/g, "$1 ");
}

/** One secret of each kind from a draw. */
const KINDS: Readonly<Record<string, (draw: Draw) => PlantedSecret>> = {
  openai: (d) => bare("openai", `sk-proj-${token(d, 40)}`),
  anthropic: (d) => bare("anthropic", `sk-ant-api03-${token(d, 48)}`),
  "aws access key": (d) => bare("aws access key", `AKIA${d.of(UPPER + DIGITS, 16)}`),
  "aws secret key": (d) => named("aws secret key", token(d, 40), (raw) => `aws_secret_access_key=${raw}`),
  "github classic": (d) => bare("github classic", `ghp_${token(d, 36)}`),
  "github fine-grained": (d) => bare("github fine-grained", `github_pat_${token(d, 22)}_${token(d, 40)}`),
  gitlab: (d) => bare("gitlab", `glpat-${token(d, 20)}`),
  slack: (d) => bare("slack", `xoxb-${d.of(DIGITS, 12)}-${token(d, 24)}`),
  "google api key": (d) => bare("google api key", `AIza${token(d, 35)}`),
  "google oauth": (d) => bare("google oauth", `ya29.${token(d, 40)}`),
  npm: (d) => bare("npm", `npm_${token(d, 36)}`),
  "hugging face": (d) => bare("hugging face", `hf_${token(d, 34)}`),
  sendgrid: (d) => bare("sendgrid", `SG.${token(d, 22)}.${token(d, 43)}`),
  "stripe secret": (d) => bare("stripe secret", `sk_live_${token(d, 24)}`),
  "stripe webhook": (d) => bare("stripe webhook", `whsec_${token(d, 32)}`),
  twilio: (d) => bare("twilio", `SK${d.of("0123456789abcdef", 32)}`),
  telegram: (d) => bare("telegram", `${1 + d.number(9)}${d.of(DIGITS, 8)}:AA${token(d, 33)}`),
  bearer: (d) => named("bearer", token(d, 30), (raw) => `Authorization: Bearer ${raw}`),
  basic: (d) =>
    named("basic", Buffer.from(`alice:${token(d, 14)}`).toString("base64"), (raw) => `Authorization: Basic ${raw}`),
  jwt: (d) => bare("jwt", `${base64url({ alg: "HS256" })}.${base64url({ sub: d.of(LOWER, 8) })}.${token(d, 43)}`),
  pem: (d) =>
    bare("pem", [`-----BEGIN PRIVATE KEY-----`, token(d, 64), token(d, 40), `-----END PRIVATE KEY-----`].join("\n")),
  "connection string": (d) =>
    named("connection string", token(d, 12), (raw) => `postgres://app:${raw}@db.internal:5432/x`),
  "url token": (d) => named("url token", token(d, 32), (raw) => `https://${raw}@git.example/x.git`),
  "query token": (d) => named("query token", token(d, 16), (raw) => `https://x.example/cb?access_token=${raw}&n=1`),
  "signed url": (d) => named("signed url", token(d, 44), (raw) => `https://x.example/o?sig=${raw}&n=1`),
  card: (d) => bare("card", luhn(`4${d.of(DIGITS, 14)}`).replace(/(.{4})(?=.)/g, "$1 ")),
  "bare card": (d) => bare("bare card", luhn(`5${1 + d.number(5)}${d.of(DIGITS, 13)}`)),
  iban: (d) => bare("iban", iban(d.of(DIGITS, 18))),
  ssn: (d) => bare("ssn", `${100 + d.number(500)}-${10 + d.number(89)}-${1_000 + d.number(8_999)}`),
  email: (d) => bare("email", `${d.of(LOWER, 7)}.${d.of(LOWER, 6)}@${d.of(LOWER, 8)}.example.org`),
  cookie: (d) => named("cookie", token(d, 18), (raw) => `Cookie: sid=${raw}; theme=dark`),
  password: (d) =>
    named("password", `${d.of(LOWER, 7)}-${d.of(LOWER, 6)}-${d.of(DIGITS, 3)}`, (raw) => `password=${raw}`),
  "client secret": (d) => named("client secret", `zq~${token(d, 22)}`, (raw) => `client_secret: "${raw}"`),
};

const named = (kind: string, raw: string, text: (raw: string) => string): PlantedSecret => ({
  kind,
  text: text(raw),
  raw,
});

/** How many kinds `plantedSecrets()` goes through. */
export const PLANTED_KINDS = Object.keys(KINDS).length;

/** As many different secrets as asked for, of each kind in turn. The same ones for the same seed. */
export function plantedSecrets(count: number, seed: string): PlantedSecret[] {
  const makers = Object.values(KINDS);
  return Array.from({ length: count }, (_, i) => {
    const make = makers[i % makers.length];
    if (make === undefined) throw new Error("no kinds");
    return make(createDraw(`${seed}/${i}`));
  });
}
