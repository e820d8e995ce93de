import { z } from "zod";
import { parseJson } from "../../instrumentation/json/json.ts";
import type { AuthorizeScope } from "../../instrumentation/scope/authorize-scope.ts";
import type { ScopeWriting, WritableScopeSource } from "../../instrumentation/scope/scope-source.ts";
import { boundedAnswer } from "../../instrumentation/transport/bounded-answer.ts";

/** The service that is asked. */
export interface ServiceAddress {
  /** Of the operations endpoint, without a path. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const MAX_BYTES = 262_144;

const statusSchema = z.looseObject({
  request: z.looseObject({
    resolved_scope: z.string().nullable(),
    authorized: z.boolean(),
    authorization: z.looseObject({ reason: z.string().nullable() }),
  }),
  cloud: z.looseObject({
    kind: z.enum(["present", "absent", "unreadable"]),
    scope: z.string().nullable(),
    version: z.string().nullable(),
    problem: z.string().nullable(),
  }),
});

const writingSchema: z.ZodType<ScopeWriting> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("written"), version: z.string() }),
  z.object({ kind: z.literal("conflict"), problem: z.string() }),
  z.object({ kind: z.literal("failed"), problem: z.string() }),
]);

/** What the service says to this credential, as the cloud default. Where the credential names no project it can be written. */
export const createServiceSource = (service: ServiceAddress): WritableScopeSource => ({
  async read(signal) {
    const { cloud } = await statusOf(service, "", signal);
    const { kind, scope, version, problem } = cloud;
    if (kind === "present" && scope !== null && version !== null) return { kind, scope, version };
    if (kind === "absent" && version !== null) return { kind, version };
    return { kind: "unreadable", problem: problem ?? "the service gives no scope" };
  },
  async write(write, signal) {
    const headers = { ...service.headers, "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify(write), redirect: "error", signal } as const;
    const answer = await fetch(`${service.url}/v1/scope/cloud`, init);
    const body = parseJson(await textOf(answer));
    const parsed = writingSchema.safeParse(body);
    if (parsed.success) return parsed.data;
    const error = (body as { error?: unknown } | undefined)?.error;
    const problem = typeof error === "string" ? error : `the service answers ${answer.status}`;
    // Refused before anything was written, or it is not known.
    return { kind: answer.status < 500 ? "conflict" : "failed", problem };
  },
});

/** The service decides what the credential may do. */
export const authorizeByService =
  (service: ServiceAddress): AuthorizeScope =>
  async ({ scope }, signal) => {
    const { request } = await statusOf(service, `?project=${encodeURIComponent(scope)}`, signal);
    if (request.resolved_scope === scope && request.authorized) return { allowed: true };
    return { allowed: false, reason: request.authorization.reason ?? "the service does not allow this project" };
  };

async function statusOf({ url, headers }: ServiceAddress, query: string, signal: AbortSignal) {
  const answer = await fetch(`${url}/v1/scope/status${query}`, { headers, redirect: "error", signal }).catch(
    (cause: unknown) => {
      throw new Error(`the service at ${url} cannot be reached`, { cause });
    },
  );
  const text = await textOf(answer);
  if (answer.status !== 200) throw new Error(`the service at ${url} answers ${answer.status}`);
  const parsed = statusSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new Error(`${url} answers with no scope status`);
  return parsed.data;
}

async function textOf(answer: Response): Promise<string> {
  const text = await boundedAnswer(answer, MAX_BYTES);
  if (text === undefined) throw new Error("the service's answer is too large");
  return text;
}
