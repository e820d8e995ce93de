import type { ArtifactRequirement } from "../contract/contract.ts";
import type { ArtifactObservation, ClosingEvidence } from "../contract/evidence.ts";
import { toJson, type JsonObject, type JsonValue } from "../json/json.ts";
import { notPresent } from "../probes/artifact-observation.ts";
import { probeClickHouseRow } from "../probes/clickhouse-probe.ts";
import { probeCommand } from "../probes/command-probe.ts";
import { probeFile } from "../probes/file-probe.ts";
import { probeGitDiff } from "../probes/git-diff-probe.ts";
import { probeHttp } from "../probes/http-probe.ts";
import { probePath } from "../probes/path-probe.ts";
import type { ActiveRun } from "./active-run.ts";
import { artifactRef, type ArtifactInput, type RecordedArtifact } from "./record-artifact.ts";
import { recordCall } from "./record-call.ts";
import { inScope, newScope } from "./run-scope.ts";

/** The part of the closing evidence that probes see. */
export type Observed = Pick<
  ClosingEvidence,
  "artifacts" | "paths" | "changedPaths" | "state" | "verification" | "gaps"
>;

/**
 * Re-reads everything the contract speaks of and the run recorded. A probe that fails is an observation or a gap, never
 * an exception. What comes back is redacted.
 */
export async function observeClose(run: ActiveRun): Promise<Observed> {
  const gaps = [...run.gaps];
  const noted = async <Value>(what: string, work: () => Promise<Value>, otherwise: Value): Promise<Value> => {
    try {
      return await work();
    } catch (error) {
      gaps.push(`${what} failed: ${error instanceof Error ? error.message : String(error)}`);
      return otherwise;
    }
  };
  // The verification may itself change files, so the diff is taken before it.
  const [artifacts, paths, changedPaths, state] = await inScope(newScope(run), () =>
    Promise.all([
      noted("reading the artifacts", () => observeArtifacts(run), []),
      noted("looking for evidence paths", () => observePaths(run), []),
      noted("taking the diff", () => observeChanges(run, gaps), null),
      noted("reading the state", () => observeState(run), null),
    ]),
  );
  const verification = await noted("the verification", () => observeVerification(run), null);
  const observed: Observed = { artifacts, paths, changedPaths, state, verification, gaps };
  return run.runtime.redactor.json(toJson(observed) ?? {}) as unknown as Observed;
}

/** Recorded artifacts, and those whose place the contract knows: evidence counts whether or not the agent spoke of it. */
async function observeArtifacts(run: ActiveRun): Promise<ArtifactObservation[]> {
  const recorded = new Set(run.artifacts.map((artifact) => artifact.name));
  const known = run.contract.artifacts.flatMap((required): RecordedArtifact[] =>
    required.path === undefined || recorded.has(required.name) ? [] : [artifactAtPath(required, required.path)],
  );
  return await Promise.all([...run.artifacts, ...known].map((artifact) => observeArtifact(run, artifact)));
}

/** Only kinds that are read from a file can be found by path alone. */
function artifactAtPath({ name, kind }: ArtifactRequirement, path: string): RecordedArtifact {
  const isFile = kind === "file" || kind === "json" || kind === "report";
  return isFile ? { name, kind, path } : { name, kind, ref: path };
}

async function observeArtifact(run: ActiveRun, artifact: ArtifactInput): Promise<ArtifactObservation> {
  const required = run.contract.artifacts.find((one) => one.name === artifact.name);
  const target = {
    name: artifact.name,
    kind: artifact.kind ?? "file",
    ref: artifactRef(artifact),
    schema: required?.schema as JsonObject | undefined,
  };
  const context = { cwd: run.cwd };
  if ("path" in artifact) return await probeFile(target, context);
  if ("query" in artifact) {
    const { name: _name, kind: _kind, endpoint, query, params = {}, ...credentials } = artifact;
    const row = { ...target, url: endpoint, query, params, ...credentials };
    return await outside(target, { endpoint, query, params }, () => probeClickHouseRow(row, context));
  }
  if ("url" in artifact) return await outside(target, { url: artifact.url }, () => probeHttp(target, context));
  const { probe } = artifact;
  if (probe === undefined) return notPresent(target, "unchecked", "no probe was given for it");
  return await outside(target, { ref: artifact.ref }, async () => {
    const seen = await probe();
    if (!seen.present) return notPresent(target, "missing", seen.detail ?? "the probe did not find it");
    return {
      ...notPresent(target, "unchecked", ""),
      state: "present",
      bytes: seen.bytes ?? 1,
      sha256: seen.sha256 ?? null,
      detail: seen.detail ?? null,
    };
  });
}

/**
 * A probe that leaves the machine is a recorded call: the cassette answers it in a replay. One that fails, or that no
 * recording knows, leaves its artifact unchecked and the others alone.
 */
async function outside(
  target: Parameters<typeof notPresent>[0],
  args: JsonValue,
  probe: () => Promise<ArtifactObservation>,
): Promise<ArtifactObservation> {
  try {
    return await recordCall({ kind: "probe", name: target.name, sideEffect: "read" }, args, probe);
  } catch (error) {
    return notPresent(target, "unchecked", error instanceof Error ? error.message : String(error));
  }
}

const observePaths = (run: ActiveRun): Promise<ClosingEvidence["paths"][number][]> =>
  Promise.all((run.contract.evidencePaths?.paths ?? []).map((path) => probePath(path, { cwd: run.cwd })));

async function observeChanges(run: ActiveRun, gaps: string[]): Promise<readonly string[] | null> {
  if (run.contract.changes === undefined) return null;
  const base = run.gitBase;
  if (base === null || "problem" in base) {
    gaps.push(`no diff of the workspace: ${base === null ? "its start was not observed" : base.problem}`);
    return null;
  }
  const diff = await probeGitDiff(base.value, { cwd: run.workspace });
  if ("value" in diff) return diff.value;
  gaps.push(`no diff of the workspace: ${diff.problem}`);
  return null;
}

async function observeState(run: ActiveRun): Promise<ClosingEvidence["state"]> {
  if (run.readState === undefined || run.stateBefore === undefined) return null;
  return { before: run.stateBefore, after: toJson(await run.readState()) ?? null };
}

async function observeVerification(run: ActiveRun): Promise<ClosingEvidence["verification"]> {
  const clause = run.contract.verification;
  if (clause === undefined) return null;
  const { command, cwd, timeoutSeconds } = clause;
  return await probeCommand({ command, cwd }, { cwd: run.cwd, timeoutMillis: timeoutSeconds * 1_000 });
}
