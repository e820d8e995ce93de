import { cardRule, ibanRule, ssnRule } from "./redaction-number-rules.ts";
import { onlyWith, patternRule, type RedactionRule } from "./redaction-rule.ts";

/** Keys that name their issuer in a prefix; the shapes are the issuers' own (secret scanning documentation). */
const ISSUED_KEYS = [
  String.raw`sk-(?=[\w-]{0,128}\d)[\w-]{16,}`, // OpenAI, Anthropic (sk-ant-), OpenRouter
  String.raw`gh[pousr]_\w{16,}|github_pat_\w{20,}`,
  String.raw`glpat-[\w-]{16,}|gldt-[\w-]{16,}|glrt-[\w-]{16,}`,
  String.raw`xox[abeprs]-[\w-]{10,}|xapp-[\w-]{10,}`,
  String.raw`AIza[\w-]{30,}|ya29\.[\w-]{16,}|GOCSPX-[\w-]{20,}`,
  String.raw`npm_[A-Za-z0-9]{30,}|hf_[A-Za-z0-9]{20,}|pypi-[\w-]{40,}|r8_[A-Za-z0-9]{30,}`,
  String.raw`gsk_[A-Za-z0-9]{20,}|xai-[A-Za-z0-9]{20,}|pplx-[A-Za-z0-9]{20,}|tvly-[\w-]{16,}`,
  String.raw`SG\.[\w-]{16,}\.[\w-]{16,}|key-[0-9a-f]{32}`, // SendGrid, Mailgun
  String.raw`(?:sk|rk|pk)_(?:live|test)_\w{10,}|whsec_[A-Za-z0-9+/=]{16,}`, // Stripe
  String.raw`(?:SK|AC)[0-9a-f]{32}`, // Twilio
  String.raw`dop_v1_[0-9a-f]{32,}|shp(?:at|ca|pa|ss)_[0-9a-f]{32}|sq0(?:atp|csp)-[\w-]{20,}|dapi[0-9a-f]{32}`,
  String.raw`lin_api_\w{20,}|sntrys_[\w=+/-]{20,}|hvs\.[\w-]{20,}|dckr_pat_[\w-]{20,}|ATATT3[\w=-]{20,}`,
  String.raw`AGE-SECRET-KEY-1[0-9A-Z]{20,}|PMAK-[0-9a-f-]{20,}|rubygems_[0-9a-f]{20,}`,
];
const issuedKeyRule = patternRule("api_key", new RegExp(`(?<![A-Za-z0-9])(?:${ISSUED_KEYS.join("|")})`, "g"));

const awsKeyRule = patternRule("aws_key", /(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])/g);

const telegramRule = onlyWith(":AA", patternRule("api_key", /(?<![A-Za-z0-9])\d{8,10}:AA[\w-]{32,}(?![A-Za-z0-9])/g));

/** JWS and JWE in compact form. */
const jwtRule = onlyWith("eyJ", patternRule("jwt", /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{2,}(?:\.[\w-]+){0,3}/g));

/** Also with `%40`, as in URLs. Image names such as `logo@2x.png` and `git@host` are no addresses. */
const EMAIL =
  /(?<![\p{L}\p{N}_+])[\p{L}\p{N}_+][\p{L}\p{N}._%+-]{0,63}(?:@|%40)(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}\p{L}{2,24}(?![\p{L}\p{N}])/gu;
const NO_EMAIL = /^git@|@\d+x\.\w+$|\.(?:png|jpe?g|gif|svg|webp|ico|css|m?js|tsx?|py|json|ya?ml|md)$/i;
const isEmail = (text: string): boolean => !NO_EMAIL.test(text);
const emailRule: RedactionRule = (text) => (text.includes("@") || text.includes("%40") ? emailPattern(text) : []);
const emailPattern = patternRule("email", EMAIL, isEmail);

/** Rules that recognise a secret by itself, wherever it stands. */
export const TOKEN_RULES: readonly RedactionRule[] = [
  jwtRule,
  issuedKeyRule,
  awsKeyRule,
  telegramRule,
  emailRule,
  ibanRule,
  cardRule,
  ssnRule,
];
