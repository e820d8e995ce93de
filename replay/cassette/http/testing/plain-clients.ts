import http from "node:http";

export interface Asked {
  readonly method?: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** All that an agent can see of one exchange. */
export interface Seen {
  readonly status?: number;
  readonly statusText?: string;
  readonly headers?: readonly (readonly [string, string])[];
  /** Hex, one text per chunk as the client gave it. */
  readonly chunks: readonly string[];
  readonly error?: SeenError;
}

export interface SeenError {
  readonly name: string;
  readonly message: string;
  readonly code: unknown;
  readonly cause?: SeenError;
}

export type Client = (url: string, asked?: Asked) => Promise<Seen>;

export const errorSeen = (thrown: unknown): SeenError => {
  const { name, message, code, cause } = thrown as Error & { code?: unknown };
  return { name, message, code, ...(cause === undefined ? {} : { cause: errorSeen(cause) }) };
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** `date` differs from server to server and never from a recording to its replay. */
const asSeen = (headers: Iterable<readonly [string, string]>) =>
  [...headers].map(([name, value]) => [name.toLowerCase(), value] as const);

export const fetchClient: Client = async (url, asked = {}) => {
  const chunks: string[] = [];
  try {
    const response = await fetch(url, asked as RequestInit);
    const { status, statusText } = response;
    const headers = asSeen(response.headers);
    try {
      for await (const chunk of response.body ?? []) chunks.push(hex(chunk as Uint8Array));
    } catch (error) {
      return { status, statusText, headers, chunks, error: errorSeen(error) };
    }
    return { status, statusText, headers, chunks };
  } catch (error) {
    return { chunks, error: errorSeen(error) };
  }
};

const answered = (response: http.IncomingMessage): Omit<Seen, "chunks"> => ({
  status: response.statusCode ?? 0,
  statusText: response.statusMessage ?? "",
  headers: asSeen(
    Array.from(
      { length: response.rawHeaders.length / 2 },
      (_, i) => [response.rawHeaders[i * 2] ?? "", response.rawHeaders[i * 2 + 1] ?? ""] as const,
    ),
  ),
});

export const nodeHttpClient: Client = (url, asked = {}) =>
  new Promise((resolve) => {
    const chunks: string[] = [];
    const request = http.request(url, { method: asked.method ?? "GET", headers: { ...asked.headers } });
    request.on("error", (error) => resolve({ chunks, error: errorSeen(error) }));
    request.on("response", (response) => {
      const seen = answered(response);
      response.on("data", (chunk: Buffer) => chunks.push(hex(chunk)));
      response.on("end", () => resolve({ ...seen, chunks }));
      response.on("error", (error) => resolve({ ...seen, chunks, error: errorSeen(error) }));
    });
    request.end(asked.body);
  });
