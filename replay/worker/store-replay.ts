import type { OtlpBody } from "../sandbox/otlp-tap.ts";

export type Storing = { readonly stored: true } | { readonly stored: false; readonly note: string };

const DEADLINE_MILLIS = 10_000;

/**
 * Hands a replay's telemetry to the service, as it was sent: its run type and fixture id are on the spans, so it ends
 * up in the same run records as every other run (spec C3). Never rejects; without a service the replay still counts.
 */
export async function storeReplay(
  bodies: readonly OtlpBody[],
  otlpUrl: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Storing> {
  const base = otlpUrl.replace(/\/+$/, "");
  try {
    for (const { path, contentType, contentEncoding, body } of bodies) {
      const response = await fetch(`${base}${path}`, {
        method: "POST",
        headers: {
          ...headers,
          "content-type": contentType,
          ...(contentEncoding === "" ? {} : { "content-encoding": contentEncoding }),
        },
        body: new Uint8Array(body),
        redirect: "error",
        signal: AbortSignal.timeout(DEADLINE_MILLIS),
      });
      await response.body?.cancel();
      if (!response.ok) return { stored: false, note: `the run was not stored: ${base} answered ${response.status}` };
    }
    return { stored: true };
  } catch (error) {
    return { stored: false, note: `the run was not stored: no service at ${base} (${causeOf(error)})` };
  }
}

/** `fetch` hides the socket error in `cause`. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException).code;
  return code ?? (cause instanceof Error ? cause.message : String(cause));
}
