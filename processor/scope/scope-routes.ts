import { z } from "zod";
import { isScopeName, SCOPE_NAME_RULE } from "../../instrumentation/scope/scope-name.ts";
import { scopeReport } from "../../instrumentation/scope/scope-report.ts";
import { readSource } from "../../instrumentation/scope/scope-snapshot.ts";
import type { ScopeReading, ScopeWriting, WritableScopeSource } from "../../instrumentation/scope/scope-source.ts";
import type { ScopeStatus } from "../../instrumentation/scope/scope-status.ts";
import type { ApiReply, ApiRequest, ApiRoute } from "../api/api-route.ts";
import { cloudOf, requestScope, type RequestScopeOptions } from "./request-scope.ts";

export interface ScopeRoutesOptions extends RequestScopeOptions {
  readonly stored: WritableScopeSource;
  readonly check: () => Promise<ScopeStatus>;
  readonly atStartUp: () => ScopeStatus | undefined;
}

const READ_MILLIS = 5_000;

/**
 * `GET /v1/scope/status`: the service's own convergence, at start-up and now; the scope of this request; and what the
 * cloud says to this credential. `POST /v1/scope/cloud` changes what it says to those without one.
 */
export const scopeRoutes = (options: ScopeRoutesOptions): readonly ApiRoute[] => [
  { method: "GET", path: "/v1/scope/status", access: "read", handle: (request) => statusReply(request, options) },
  { method: "POST", path: "/v1/scope/cloud", access: "write", handle: (request) => writeReply(request, options) },
];

async function statusReply(request: ApiRequest, options: ScopeRoutesOptions): Promise<ApiReply> {
  const { identity } = request;
  const [service, own, cloud] = await Promise.all([
    options.check(),
    requestScope(request, options).check("scope.status"),
    readSource("cloud", cloudOf(identity, options.stored), READ_MILLIS),
  ]);
  const first = options.atStartUp();
  const isProven = identity?.proven === true;
  const body = {
    service: { at_start_up: first === undefined ? null : scopeReport(first), now: scopeReport(service) },
    request: scopeReport(own),
    cloud: { ...cloudReport(cloud), proven: isProven, writable: !isProven },
  };
  return { status: 200, body };
}

const cloudReport = (reading: ScopeReading | undefined) => ({
  kind: reading?.kind ?? "unreadable",
  scope: reading?.kind === "present" ? reading.scope : null,
  version: reading === undefined || reading.kind === "unreadable" ? null : reading.version,
  problem: reading?.kind === "unreadable" ? reading.problem : null,
});

const writeSchema = z.strictObject({
  scope: z.string().refine(isScopeName, SCOPE_NAME_RULE).nullable(),
  /** Version that the write follows from, as the status told it. */
  expected: z.string().max(500),
});

async function writeReply({ body, identity }: ApiRequest, { stored }: ScopeRoutesOptions): Promise<ApiReply> {
  if (identity?.proven === true) {
    return { status: 403, body: { error: "The project of a credential is what the service's tokens file says." } };
  }
  const parsed = writeSchema.safeParse(body);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
    return { status: 400, body: { error: problems.join("; ") } };
  }
  const writing = await stored.write(parsed.data, new AbortController().signal);
  return { status: STATUS[writing.kind], body: writing };
}

const STATUS: Readonly<Record<ScopeWriting["kind"], number>> = { written: 200, conflict: 409, failed: 503 };
