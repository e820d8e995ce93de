import { createHmac } from "node:crypto";

/** Headers of a signed request, as Standard Webhooks (standardwebhooks.com) names them. */
export const WEBHOOK_ID_HEADER = "webhook-id";
export const WEBHOOK_TIMESTAMP_HEADER = "webhook-timestamp";
export const WEBHOOK_SIGNATURE_HEADER = "webhook-signature";

export interface SignedContent {
  /** The same when the same is sent again. */
  readonly id: string;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly body: string;
}

/** `v1,<base64 of HMAC-SHA256 over "id.timestamp.body">`. */
export const signatureOf = ({ id, timestamp, body }: SignedContent, secret: string): string =>
  `v1,${createHmac("sha256", secretBytes(secret)).update(`${id}.${timestamp}.${body}`).digest("base64")}`;

/** `whsec_` and base64, as the specification has it; any other text is taken as it stands. */
const secretBytes = (secret: string): Buffer =>
  secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret);
