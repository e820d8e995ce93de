import { z } from "zod";
import { createAuthenticator } from "../auth/authenticator.ts";
import { readTokensFile } from "../auth/tokens-file.ts";
import type { TokenEntry } from "../auth/tokens.ts";
import { numeric } from "../numeric-setting.ts";
import { createByteBudget } from "./byte-budget.ts";
import { createRateLimiter, type RateLimit } from "./rate-limiter.ts";
import type { ReceiverGuards } from "./receiver-guards.ts";
import { DEFAULT_RECEIVER_LIMITS } from "./receiver-limits.ts";
import { readTlsFiles } from "./receiver-tls.ts";

const flag = z.preprocess((value) => (value === "true" ? true : value === "false" ? false : value), z.boolean());

const path = z.string().min(1);

/** The receivers' part of the service configuration, to spread into its schema. */
export const receiverConfigShape = {
  /** OTLP/gRPC; 0 takes a free port. */
  otlpGrpcPort: numeric(z.int().min(0).max(65_535)).default(4317),
  /** JSON file that maps tokens and client certificates to projects. Without it everybody is the project `default`. */
  tokensFile: path.optional(),
  /** PEM certificate of both receivers, with its chain. Default: no TLS. */
  tlsCertFile: path.optional(),
  tlsKeyFile: path.optional(),
  /** PEM authorities of client certificates; with it every client must have one. */
  tlsClientCaFile: path.optional(),
  /** For every project without its own limit in `tokensFile`; bytes count after decompression. Default: none. */
  rateLimitBytesPerSecond: numeric(z.number().positive()).optional(),
  rateLimitRequestsPerSecond: numeric(z.number().positive()).optional(),
  /** Listen beyond loopback although nobody is asked who they are. */
  allowUnauthenticated: flag.default(false),
} as const;

const fragment = z.object(receiverConfigShape);
export type ReceiverConfig = Readonly<z.output<typeof fragment>>;

/** Variable of each key, to merge into the service's table. */
export const RECEIVER_VARIABLES: Readonly<Record<string, keyof ReceiverConfig>> = {
  RUNPROOF_OTLP_GRPC_PORT: "otlpGrpcPort",
  RUNPROOF_TOKENS_FILE: "tokensFile",
  RUNPROOF_TLS_CERT_FILE: "tlsCertFile",
  RUNPROOF_TLS_KEY_FILE: "tlsKeyFile",
  RUNPROOF_TLS_CLIENT_CA_FILE: "tlsClientCaFile",
  RUNPROOF_RATE_LIMIT_BYTES_PER_SECOND: "rateLimitBytesPerSecond",
  RUNPROOF_RATE_LIMIT_REQUESTS_PER_SECOND: "rateLimitRequestsPerSecond",
  RUNPROOF_ALLOW_UNAUTHENTICATED: "allowUnauthenticated",
};

export interface ConfiguredGuards
  extends Required<Omit<ReceiverGuards, "tls" | "onRefused">>, Pick<ReceiverGuards, "tls"> {
  /** Of the tokens file, for whoever else must know them; `undefined` without one. */
  readonly tokens: readonly TokenEntry[] | undefined;
}

/** Reads the files a configuration names. Give the result to both receivers. @throws Error with every problem */
export async function receiverGuardsFrom(config: ReceiverConfig): Promise<ConfiguredGuards> {
  const [tokens, tls] = await Promise.allSettled([
    config.tokensFile === undefined ? undefined : readTokensFile(config.tokensFile),
    tlsFrom(config),
  ]);
  const problems = [tokens, tls].flatMap((result) => (result.status === "rejected" ? [result.reason as Error] : []));
  if (problems.length > 0) {
    throw new Error(problems.map(({ message }) => message).join("\n"), { cause: problems[0] });
  }
  const file = tokens.status === "fulfilled" ? tokens.value : undefined;
  const files = tls.status === "fulfilled" ? tls.value : undefined;
  return {
    tokens: file?.tokens,
    authenticator: createAuthenticator(file ?? {}),
    rateLimiter: createRateLimiter({ general: generalLimit(config), ...(file && { projects: file.rateLimits }) }),
    ...(files && { tls: files }),
    budget: createByteBudget(DEFAULT_RECEIVER_LIMITS.maxBytesInMemory),
    allowUnauthenticated: config.allowUnauthenticated,
  };
}

async function tlsFrom({ tlsCertFile: certFile, tlsKeyFile: keyFile, tlsClientCaFile: clientCaFile }: ReceiverConfig) {
  if (certFile === undefined && keyFile === undefined && clientCaFile === undefined) return undefined;
  if (certFile === undefined) throw new Error("tlsCertFile: is needed with tlsKeyFile and tlsClientCaFile");
  if (keyFile === undefined) throw new Error("tlsKeyFile: is needed with tlsCertFile");
  return readTlsFiles({ certFile, keyFile, ...(clientCaFile !== undefined && { clientCaFile }) });
}

const generalLimit = (config: ReceiverConfig): RateLimit => ({
  ...(config.rateLimitBytesPerSecond !== undefined && { bytesPerSecond: config.rateLimitBytesPerSecond }),
  ...(config.rateLimitRequestsPerSecond !== undefined && { requestsPerSecond: config.rateLimitRequestsPerSecond }),
});
