import { failOpenAsync } from "../fail-open.ts";
import type { ActiveRun, Run } from "./active-run.ts";
import { sendCheckpoint } from "./record-event.ts";

/** What a probe of the user's own found out about an artifact. */
export interface ProbeResult {
  readonly present: boolean;
  /** Size of its content. Default 1: it is there. */
  readonly bytes?: number;
  readonly sha256?: string;
  readonly detail?: string;
}

/** Something durable that the run made. Where it says nothing else, it is re-read when the run closes. */
export type ArtifactInput = { readonly name: string } & (
  | { readonly kind?: "file" | "json" | "report"; readonly path: string }
  | { readonly kind: "url"; readonly url: string }
  | {
      readonly kind: "row";
      /** ClickHouse HTTP endpoint, `http://127.0.0.1:8123`. */
      readonly endpoint: string;
      /** A SELECT that returns the row; values go into `params`, never into the text. */
      readonly query: string;
      readonly params?: Readonly<Record<string, string | number>>;
      readonly user?: string;
      readonly password?: string;
    }
  | {
      readonly kind: "message" | "object" | "diff" | "row" | "url";
      /** Durable reference: message id, object key, commit. */
      readonly ref: string;
      /** Re-reads it. Without a probe the artifact stays unchecked, and an unchecked artifact proves nothing. */
      readonly probe?: () => ProbeResult | Promise<ProbeResult>;
    }
);

/**
 * Records an artifact of the run and sends a checkpoint. What counts is what the probe sees when the run closes, not
 * this call. Resolves when the checkpoint is acknowledged or spooled; never rejects.
 */
export async function recordArtifact(run: Run, artifact: ArtifactInput): Promise<void> {
  await failOpenAsync(
    "recordArtifact()",
    async () => {
      const active = run as ActiveRun;
      // Read before it is kept: what is no artifact must not spoil the close.
      const fact = { name: artifact.name, kind: artifact.kind ?? "file", ref: artifactRef(artifact) };
      if (Object.values(fact).some((text) => typeof text !== "string"))
        throw new TypeError("it has no name or no place");
      active.artifacts.push(artifact);
      await sendCheckpoint(active, "artifact", fact);
    },
    undefined,
  );
}

/** Where the artifact is, as text. */
export function artifactRef(artifact: ArtifactInput): string {
  if ("path" in artifact) return artifact.path;
  if ("ref" in artifact) return artifact.ref;
  return "url" in artifact ? artifact.url : artifact.query;
}
