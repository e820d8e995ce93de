import type { ArtifactObservation } from "../contract/evidence.ts";
import { sha256Hex } from "../json/canonical.ts";
import { realMonotonicMillis } from "../real-sources.ts";
import { boundedRequest, type BoundedAnswer } from "../transport/bounded-request.ts";
import { expectsJson, notPresent, schemaErrorsOf, type ArtifactTarget } from "./artifact-observation.ts";
import { PROBE_TIMEOUT_MILLIS, type ProbeContext } from "./probe-context.ts";

const MAX_REDIRECTS = 3;
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const GONE = new Set([404, 410]);

/** GETs a URL: present when it answers 2xx with a body that arrives whole. Follows up to three redirects. */
export async function probeHttp(target: ArtifactTarget, context: ProbeContext): Promise<ArtifactObservation> {
  const deadline = realMonotonicMillis() + (context.timeoutMillis ?? PROBE_TIMEOUT_MILLIS);
  let url = URL.parse(target.ref);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const refusal = refusalOf(url);
    if (url === null || refusal !== undefined) return notPresent(target, "unreadable", refusal ?? "not a URL");
    const timeoutMillis = Math.max(1, deadline - realMonotonicMillis());
    const answer = await get(url, timeoutMillis, context.signal);
    const location = answer.outcome === "answered" && isRedirect(answer.status) ? answer.headers.location : undefined;
    if (location === undefined) return observationOf(target, answer);
    url = URL.parse(location, url);
  }
  return notPresent(target, "unreadable", `more than ${MAX_REDIRECTS} redirects`);
}

function refusalOf(url: URL | null): string | undefined {
  if (url === null) return "not a URL";
  if (url.protocol !== "http:" && url.protocol !== "https:") return `${url.protocol} is not http or https`;
  return url.username !== "" || url.password !== "" ? "a URL with credentials is not fetched" : undefined;
}

const get = (url: URL, timeoutMillis: number, signal: AbortSignal | undefined): Promise<BoundedAnswer> =>
  boundedRequest({ url, method: "GET", headers: { accept: "*/*" }, timeoutMillis, maxBytes: MAX_BODY_BYTES, signal });

const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

function observationOf(target: ArtifactTarget, answer: BoundedAnswer): ArtifactObservation {
  if (answer.outcome === "failed") return notPresent(target, "unreadable", answer.reason);
  const { status, body } = answer;
  if (GONE.has(status)) return notPresent(target, "missing", `HTTP ${status}`);
  if (status < 200 || status > 299) return notPresent(target, "unreadable", `HTTP ${status}`);
  if (!answer.complete)
    return notPresent(target, "unreadable", `the body did not arrive whole: ${answer.cut ?? "cut"}`);
  const { name, kind, ref } = target;
  const schemaErrors = expectsJson(target) ? schemaErrorsOf(target, body.toString("utf8")) : null;
  return { name, kind, ref, state: "present", bytes: body.length, sha256: sha256Hex(body), schemaErrors, detail: null };
}
