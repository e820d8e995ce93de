import { resolve } from "node:path";
import { thrownText } from "../capture/error-class.ts";
import type { ArtifactRequirement } from "../contract/contract.ts";
import type { ArtifactObservation, ClosingEvidence } from "../contract/evidence.ts";
import { toJson, type JsonObject, type JsonValue } from "../json/json.ts";
import { notPresent, type ArtifactTarget } from "../probes/artifact-observation.ts";
import { probeClickHouseRow } from "../probes/clickhouse-probe.ts";
import { probeCommand } from "../probes/command-probe.ts";
import { probeFile } from "../probes/file-probe.ts";
import { probeGitDiff } from "../probes/git-diff-probe.ts";
import { probeHttp } from "../probes/http-probe.ts";
import { probePath } from "../probes/path-probe.ts";
import { abortable, probeSignal } from "../probes/probe-context.ts";
import type { ActiveRun } from "./active-run.ts";
import { mapBounded } from "./map-bounded.ts";
import { readStateBounded } from "./read-state.ts";
import { artifactRef, type ArtifactInput, type ProbeResult } from "./record-artifact.ts";
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
      gaps.push(`${what} failed: ${thrownText(error).message}`);
      return otherwise;
    }
  };
  // The verification may itself change files, so the diff is taken before it.
  const [artifacts, paths, changedPaths, state] = await inScope(newScope(run), () =>
    Promise.all([
      noted("reading the artifacts", () => observeArtifacts(run), []),
      noted("looking for evidence paths", () => observePaths(run), []),
      noted("taking the diff", () => observeChanges(run, gaps), null),
      noted("reading the state", () => observeState(run, gaps), null),
    ]),
  );
  const verification = await noted("the verification", () => observeVerification(run), null);
  const observed: Observed = { artifacts, paths, changedPaths, state, verification, gaps };
  return run.runtime.redactor.json(toJson(observed) ?? {}) as unknown as Observed;
}

/**
 * What the run recorded, and what the contract places somewhere: it must be there, whether or not the agent spoke of it,
 * and whatever else the agent recorded under that name.
 */
async function observeArtifacts(run: ActiveRun): Promise<ArtifactObservation[]> {
  const place = (artifact: ArtifactInput): string =>
    "path" in artifact ? resolve(run.cwd, artifact.path) : artifactRef(artifact);
  const recorded = new Set(run.artifacts.map((artifact) => `${artifact.name}\n${place(artifact)}`));
  const required = run.contract.artifacts.flatMap((one): ArtifactInput[] =>
    one.path === undefined ? [] : [artifactAtPath(one, one.path)],
  );
  const unspoken = required.filter((artifact) => !recorded.has(`${artifact.name}\n${place(artifact)}`));
  return await mapBounded([...run.artifacts, ...unspoken], MAX_PROBES, (artifact) => observeArtifact(run, artifact));
}

/** A run with thousands of artifacts must not run out of file handles and then call them unreadable. */
const MAX_PROBES = 16;

/** Only a file and a URL can be re-read where the contract says they are. */
function artifactAtPath({ name, kind }: ArtifactRequirement, path: string): ArtifactInput {
  if (kind === "url") return { name, kind, url: path };
  return kind === "file" || kind === "json" || kind === "report" ? { name, kind, path } : { name, kind, ref: path };
}

/** A probe that fails, or that no recording knows, leaves its artifact unchecked and the others alone. */
async function observeArtifact(run: ActiveRun, artifact: ArtifactInput): Promise<ArtifactObservation> {
  const required = run.contract.artifacts.find((one) => one.name === artifact.name);
  const target = {
    name: artifact.name,
    kind: artifact.kind ?? "file",
    ref: artifactRef(artifact),
    schema: required?.schema as JsonObject | undefined,
  };
  try {
    return await probeArtifact(run, artifact, target);
  } catch (error) {
    return notPresent(target, "unchecked", thrownText(error).message);
  }
}

async function probeArtifact(
  run: ActiveRun,
  artifact: ArtifactInput,
  target: ArtifactTarget,
): Promise<ArtifactObservation> {
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
    const seen = await abortable((async () => await probe())(), probeSignal(context));
    return observationOf(seen, target);
  });
}

/** A probe of the user's own may answer anything; what does not fit is not known. */
function observationOf(
  { present, bytes = 1, sha256, detail }: ProbeResult,
  target: ArtifactTarget,
): ArtifactObservation {
  const said = typeof detail === "string" ? detail : null;
  if (present !== true) return notPresent(target, "missing", said ?? "the probe did not find it");
  return {
    ...notPresent(target, "unchecked", ""),
    state: "present",
    bytes: Number.isFinite(bytes) ? bytes : null,
    sha256: typeof sha256 === "string" ? sha256 : null,
    detail: said,
  };
}

/** A probe that leaves the machine is a recorded call: the cassette answers it in a replay. */
const outside = (
  { name }: ArtifactTarget,
  args: JsonValue,
  probe: () => Promise<ArtifactObservation>,
): Promise<ArtifactObservation> => recordCall({ kind: "probe", name, sideEffect: "read" }, args, probe);

const observePaths = (run: ActiveRun): Promise<ClosingEvidence["paths"][number][]> =>
  mapBounded(run.contract.evidencePaths?.paths ?? [], MAX_PROBES, (path) => probePath(path, { cwd: run.cwd }));

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

async function observeState(run: ActiveRun, gaps: string[]): Promise<ClosingEvidence["state"]> {
  if (run.readState === undefined || run.stateBefore === undefined) return null;
  const after = await readStateBounded(run, run.readState);
  if ("value" in after) return { before: run.stateBefore, after: after.value };
  gaps.push(`the state at the close could not be read: ${after.problem}`);
  return null;
}

async function observeVerification(run: ActiveRun): Promise<ClosingEvidence["verification"]> {
  const clause = run.contract.verification;
  if (clause === undefined) return null;
  const { command, cwd, timeoutSeconds } = clause;
  return await probeCommand({ command, cwd }, { cwd: run.cwd, timeoutMillis: timeoutSeconds * 1_000 });
}
