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
