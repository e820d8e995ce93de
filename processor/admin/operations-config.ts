import { z } from "zod";
import { numeric } from "../numeric-setting.ts";

const port = numeric(z.int().min(0).max(65_535));

/** The part of the service configuration for those who run it, to spread into its schema. */
export const operationsConfigShape = {
  /** Health, readiness and metrics; 0 takes a free port, `off` opens none. */
  adminPort: z.union([z.literal("off"), port]).default(9464),
  /** Address of that port; probes of other machines need one beyond loopback. */
  adminHost: z.string().min(1).default("127.0.0.1"),
  /** OTLP/HTTP address that gets the service's own metrics and spans, without `/v1/…`. Default: none. */
  telemetryEndpoint: z.url({ protocol: /^https?$/ }).optional(),
  /** Between two sendings of own telemetry. */
  telemetryIntervalSeconds: numeric(z.number().min(0.1).max(3_600)).default(30),
  /** How long a stop goes on storing what was acknowledged; the rest stays on disk and is stored at the next start. */
  drainSeconds: numeric(z.number().min(0).max(3_600)).default(20),
  /** Resident memory over which the embedded engine's process is replaced. Default: half the machine's, at least 2,048. */
  engineMaxMib: numeric(z.int().min(512)).optional(),
} as const;

const fragment = z.object(operationsConfigShape);
export type OperationsConfig = Readonly<z.output<typeof fragment>>;

/** Variable of each key, to merge into the service's table. */
export const OPERATIONS_VARIABLES: Readonly<Record<string, keyof OperationsConfig>> = {
  RUNPROOF_ADMIN_PORT: "adminPort",
  RUNPROOF_ADMIN_HOST: "adminHost",
  RUNPROOF_TELEMETRY_ENDPOINT: "telemetryEndpoint",
  RUNPROOF_TELEMETRY_INTERVAL_SECONDS: "telemetryIntervalSeconds",
  RUNPROOF_DRAIN_SECONDS: "drainSeconds",
  RUNPROOF_ENGINE_MAX_MIB: "engineMaxMib",
};
