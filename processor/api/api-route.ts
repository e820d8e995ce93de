import type { Identity, Scope } from "../auth/identity.ts";

export interface ApiRequest {
  readonly query: URLSearchParams;
  /** The parsed JSON of a POST; `undefined` for a GET. */
  readonly body: unknown;
  /** Who asks; `undefined` where nobody has to say, or at an open route without a credential that holds. */
  readonly identity: Identity | undefined;
}

export interface ApiReply {
  readonly status: number;
  readonly body: object;
}

/** One path of the service's own HTTP interface (`/v1/…` at the operations endpoint). */
export interface ApiRoute {
  readonly method: "GET" | "POST";
  readonly path: `/v1/${string}`;
  /**
   * The scope a credential must have, where credentials are configured. `open`: asked by probes, which have none; such a route
   * decides by `identity` what it tells.
   */
  readonly access: Scope | "open";
  /** A rejection is answered with 500 and its message. */
  handle(request: ApiRequest): Promise<ApiReply> | ApiReply;
}
