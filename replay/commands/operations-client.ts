import { boundedAnswer } from "../../instrumentation/transport/bounded-answer.ts";
import { UsageError } from "./run-command-line.ts";
import type { CommandContext } from "./context.ts";

export const OPERATIONS_URL_HELP =
  "the service's operations endpoint; default RUNPROOF_OPERATIONS_URL or http://127.0.0.1:9464. A token of the scope admin goes into RUNPROOF_OPERATIONS_TOKEN";

/** What the service said; `nobody`: it could not be asked, or the answer is not one of its own. */
export type OperationsAnswer =
  | { readonly kind: "answer"; readonly status: number; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: "nobody"; readonly message: string };

export interface OperationsRequest {
  readonly url: string | undefined;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Makes it a POST. */
  readonly body?: object;
}

/** A gate that does not answer is not waited for longer. */
const TIMEOUT_MILLIS = 10_000;
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** Asks the service's own HTTP interface. Never rejects for what the other side does. @throws UsageError for a bad address */
export async function askOperations(request: OperationsRequest, context: CommandContext): Promise<OperationsAnswer> {
  const url = addressOf(request, context);
  const token = context.env["RUNPROOF_OPERATIONS_TOKEN"];
  const { body } = request;
  try {
    const response = await fetch(url, {
      // A redirect is no answer of the service, and must not get the token.
      redirect: "manual",
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(TIMEOUT_MILLIS)]),
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { method: "POST", body: JSON.stringify(body) }),
    });
    const parsed: unknown = JSON.parse(await cappedText(response));
    if (typeof parsed !== "object" || parsed === null) throw new Error("the answer is not runproof's");
    return { kind: "answer", status: response.status, body: parsed as Record<string, unknown> };
  } catch (error) {
    if (context.signal.aborted) throw error;
    return { kind: "nobody", message: `${url.origin}: ${reasonOf(error)}` };
  }
}

function addressOf({ url: given, path, query = {} }: OperationsRequest, { env }: CommandContext): URL {
  const base = given ?? (env["RUNPROOF_OPERATIONS_URL"] || "http://127.0.0.1:9464");
  const parsed = URL.parse(base);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) throw new UsageError(`--url ${base}: not an http address`);
  const url = new URL(`${parsed.pathname.replace(/\/$/, "")}${path}`, parsed);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
  return url;
}

async function cappedText(response: Response): Promise<string> {
  const text = await boundedAnswer(response, MAX_ANSWER_BYTES);
  if (text === undefined) throw new Error("the answer is too long");
  return text;
}

function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError) return "the answer is not runproof's";
  const { name, message, cause } = error as Error;
  if (name === "TimeoutError") return "no answer in time";
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return code ?? message;
}

/** What an answer says is wrong. */
export const errorOf = ({ body, status }: OperationsAnswer & { readonly kind: "answer" }): string =>
  typeof body["error"] === "string" ? body["error"] : `HTTP ${status}`;
