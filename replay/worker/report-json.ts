import type { Interaction } from "../cassette/cassette.ts";
import { describeMiss } from "../cassette/describe-miss.ts";
import type { ReplayResult } from "./replay-result.ts";

/** The one document of `--json`: stable names in snake_case, like the run record's. */
export const replayResultJson = (result: ReplayResult) => ({
  fixture_id: result.fixtureId,
  mode: result.mode,
  result: result.outcome,
  explanation: result.explanation,
  run: result.run && {
    run_id: result.run.runId,
    trace_id: result.run.traceId,
    agent_name: result.run.agentName,
    run_type: "replay",
  },
  verdict: result.verdict && {
    status: result.verdict.status,
    failure_class: result.verdict.failureClass,
    failure_reason: result.verdict.failureReason,
    reasons: result.verdict.reasons,
    proofs: result.verdict.proofs,
  },
  required_status: result.requiredStatus,
  observed: result.observed,
  cassette: {
    hits: result.cassette.hits,
    moved: result.cassette.moved,
    misses: result.cassette.misses.map((miss) => ({
      reason: miss.reason,
      message: describeMiss(miss),
      request: miss.request,
      nearest: miss.nearest && callOf(miss.nearest),
      differences: miss.differences,
    })),
    unused: result.cassette.unused.map(callOf),
  },
  transcript_sha256: result.transcriptSha256,
  ...(result.strict === undefined ? {} : { strict: strictJson(result.strict) }),
  ...(result.liveCalls === undefined ? {} : { live_calls: result.liveCalls }),
  agent: result.agent,
  stored: result.stored,
  notes: result.notes,
});

const strictJson = ({ wall, attempts, isFull, faults }: NonNullable<ReplayResult["strict"]>) => ({
  wall,
  attempts: attempts.map(({ callPath, ...attempt }) => ({ ...attempt, call_path: callPath ?? null })),
  attempts_complete: !isFull,
  ledger_faults: faults,
});

const callOf = ({ index, kind, name, path }: Interaction) => ({ index, kind, name, path });
