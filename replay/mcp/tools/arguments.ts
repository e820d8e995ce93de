import { z } from "zod";

// oxlint-disable-next-line no-control-regex -- control characters are what this refuses
const PRINTABLE = /^[^\u0000-\u001f\u007f]*$/;
const printable = (max: number) =>
  z.string().min(1).max(max).regex(PRINTABLE, { error: "must not hold control characters" });

export const runId = printable(256).describe("Id of the run, as list_failed_runs gives it.");
export const fixtureId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, { error: "a fixture id is 1 to 64 of a-z, 0-9, _ and -; it is no path" })
  .describe("Id of the fixture: the name of its folder, never a path.");
export const agentName = printable(256).describe("Only of this agent.");
export const failureClass = printable(128).describe("Only of this kind of failure, such as missing_artifact_ref.");
export const since = z
  .string()
  .regex(/^(\d{1,9}[smhd]|\d{4}-\d\d-\d\d[\dT:.Z+-]{0,30})$/, { error: "give 30m, 24h, 7d or an ISO date" })
  .describe("How far back: 30m, 24h, 7d, or an ISO date.");
export const pageLimit = (fallback: number, max: number) =>
  z.int().min(1).max(max).default(fallback).describe("At most this many.");
export const pageOffset = z.int().min(0).max(1_000_000).default(0).describe("Leave out so many; for the next page.");
export const replayMode = z
  .enum(["cassette", "strict"])
  .default("cassette")
  .describe("cassette: recorded answers are replayed. strict: and nothing gets out of the agent's process.");
export const timeoutSeconds = z.int().min(1).max(3_600).optional().describe("Kill the agent after this.");
