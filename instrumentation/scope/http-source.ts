import { z } from "zod";
import { parseJson } from "../json/json.ts";
import { boundedAnswer } from "../transport/bounded-answer.ts";
import { isScopeName, SCOPE_NAME_RULE } from "./scope-name.ts";
import type { ScopeReading, ScopeWrite, ScopeWriting, WritableScopeSource } from "./scope-source.ts";

export interface HttpSourceOptions {
  /** `https:`, or `http:` on this machine: headers may carry a credential. */
  readonly url: string;
  /** Sent with each request. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the runtime's. */
  readonly fetch?: typeof fetch;
}

const MAX_BYTES = 4_096;
const documentSchema = z.looseObject({ scope: z.string().nullable() });

/**
 * The cloud default behind an HTTP endpoint: `GET` gives `{"scope": "name" | null}` with an `ETag`, or 404 for none; `PUT` of
 * the same with `If-Match` (`If-None-Match: *` after a 404) writes it, 412 refuses. No redirect is followed. Throws a `TypeError`
 * for a URL that would send a credential over the network in the clear.
 */
export function createHttpSource(options: HttpSourceOptions): WritableScopeSource {
  const url = checkedUrl(options.url);
  const { headers = {} } = options;
  // Looked up at each call: whoever records requests replaces it later.
  const ask = options.fetch ?? ((...request: Parameters<typeof fetch>) => fetch(...request));
  return {
    async read(signal) {
      const answer = await ask(url, { headers: { accept: "application/json", ...headers }, redirect: "error", signal });
      return await readingOf(answer);
    },
    async write(write, signal) {
      const answer = await ask(url, { ...requestOf(write, headers), signal });
      await answer.body?.cancel();
      return writingOf(answer);
    },
  };
}

function requestOf({ scope, expected }: ScopeWrite, headers: Readonly<Record<string, string>>): RequestInit {
  const condition: Record<string, string> = expected === NOTHING ? { "if-none-match": "*" } : { "if-match": expected };
  return {
    method: "PUT",
    headers: { "content-type": "application/json", ...headers, ...condition },
    body: JSON.stringify({ scope }),
    redirect: "error",
  };
}

/** Version of a 404; no ETag looks like this. */
const NOTHING = "nothing";

async function readingOf(answer: Response): Promise<ScopeReading> {
  if (answer.status === 404) {
    await answer.body?.cancel();
    return { kind: "absent", version: NOTHING };
  }
  if (answer.status !== 200) {
    await answer.body?.cancel();
    return unreadable(`the endpoint answers ${answer.status}`);
  }
  const version = answer.headers.get("etag");
  const text = await boundedAnswer(answer, MAX_BYTES);
  if (text === undefined) return unreadable(`the answer has more than ${MAX_BYTES} bytes`);
  // A weak one may stay the same while the content changes, and If-Match never takes it.
  if (version === null || version.startsWith("W/")) return unreadable("the endpoint gives no strong ETag");
  const parsed = documentSchema.safeParse(parseJson(text));
  if (!parsed.success) return unreadable('the answer is not {"scope": …}');
  const { scope } = parsed.data;
  if (scope === null) return { kind: "absent", version };
  return isScopeName(scope) ? { kind: "present", scope, version } : unreadable(SCOPE_NAME_RULE);
}

function writingOf({ status, headers }: Response): ScopeWriting {
  if (status === 412) return { kind: "conflict", problem: "the endpoint has another version" };
  if (![200, 201, 204].includes(status)) return { kind: "failed", problem: `the endpoint answers ${status}` };
  const version = headers.get("etag");
  if (version === null) return { kind: "failed", problem: "the endpoint gives no ETag of what was written" };
  return { kind: "written", version };
}

const unreadable = (problem: string): ScopeReading => ({ kind: "unreadable", problem });

function checkedUrl(text: string): URL {
  const url = new URL(text);
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (url.protocol === "https:" || (url.protocol === "http:" && isLocal)) return url;
  throw new TypeError(`${url.origin} must be https, or http on this machine`);
}
