/** Who sent a request, as far as a credential says. Data never says it. */
export interface Identity {
  readonly project: string;
  /** A credential names the project; then it overrules what the data says. `false`: nobody has to show one. */
  readonly proven: boolean;
}

/** `unauthenticated`: no credential that holds. `forbidden`: it holds, but not for this. */
export interface AuthRefusal {
  readonly refused: "unauthenticated" | "forbidden";
}

/** `write` sends telemetry to its project, `read` reads its project, `admin` reads all projects and writes nothing. */
export type Scope = "read" | "write" | "admin";

/** What a request shows. */
export interface PresentedCredentials {
  /** The `Authorization` header, as it came. */
  readonly authorization: string | undefined;
  /** Names on the verified client certificate. Asked for only when no token decides: reading one costs. */
  certificateNames?(): readonly string[];
}

/** Decides who a request is from. Never throws, never logs what was shown. */
export interface Authenticator {
  /** Nobody has to show a credential. */
  readonly open: boolean;
  authenticate(presented: PresentedCredentials, scope: Scope): Identity | AuthRefusal;
}

/** The project of everybody while no credentials are configured. */
export const DEFAULT_PROJECT = "default";
