/** Names whose value is a secret whatever it looks like, without case and punctuation. */
const NAMES: ReadonlySet<string> = new Set([
  ...["token", "auth", "jwt", "bearer", "otp", "cvv", "cvc", "cvv2", "ssn", "iban", "pan"],
  ...["session", "sessionid", "sessionkey", "phpsessid", "jsessionid", "connectsid", "sid"],
  ...["accesskeyid", "credential", "credentials", "passcode", "cookies", "sas", "signature", "xamzsignature"],
]);

/** `db_password`, `X-Api-Key`, `githubAccessToken`: the end of the name tells. */
const ENDINGS: readonly string[] = [
  ...["password", "passwd", "passphrase", "secret", "apikey", "privatekey", "secretkey", "accesskey", "signingkey"],
  ...["encryptionkey", "connectionstring", "authorization", "cookie", "accountkey", "subscriptionkey", "masterkey"],
  ...[
    "accesstoken",
    "authtoken",
    "refreshtoken",
    "idtoken",
    "sessiontoken",
    "securitytoken",
    "apitoken",
    "bearertoken",
  ],
  ...["csrftoken", "xsrftoken", "bottoken", "usertoken", "githubtoken", "deploytoken", "registrationtoken", "npmtoken"],
  ...["hftoken", "vaulttoken", "oauthtoken", "persontoken", "servicetoken", "clienttoken", "slacktoken", "gitlabtoken"],
];

const HEADERS: ReadonlySet<string> = new Set([
  ...["authorization", "proxyauthorization", "cookie", "setcookie", "xapikey", "apikey", "xauthtoken"],
  ...["xamzsecuritytoken", "xcsrftoken", "xgoogapikey"],
]);

const MAX_NAME_LENGTH = 128;

/**
 * Whether a member, variable or parameter of this name holds a secret. Only the last dotted part counts
 * (`headers.authorization`); numbers of tokens (`max_tokens`) and page tokens are no secrets.
 */
export function isSecretName(name: string, extra?: ReadonlySet<string>): boolean {
  if (name.length > MAX_NAME_LENGTH) return false;
  const bare = bareName(name);
  return NAMES.has(bare) || extra?.has(bare) === true || ENDINGS.some((ending) => bare.endsWith(ending));
}

/** Names of HTTP headers that carry a secret; for lists of pairs, where a looser rule would hit plain words. */
export const isSecretHeader = (name: string): boolean => name.length <= MAX_NAME_LENGTH && HEADERS.has(bareName(name));

export const bareName = (name: string): string =>
  name
    .slice(name.lastIndexOf(".") + 1)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "");
