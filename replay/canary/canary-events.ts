import { createHash } from "node:crypto";
import * as semconv from "../../instrumentation/semconv.ts";
import { keyValues, type RecordAttributes, unixNanoFromMillis } from "../../instrumentation/transport/record-span.ts";
import type { Shard } from "../suite/shard.ts";
import type { CanaryOutcome } from "./outcome.ts";
import type { CanaryResult } from "./replay-member.ts";
import { roundIdOf } from "./slot.ts";

/** A round that is due, or a shard of it. */
export interface RoundPlace {
  readonly tier: string;
  readonly everySeconds: number;
  /** Milliseconds since the epoch. */
  readonly slot: number;
  readonly shard: Shard;
}

/** Who sends the events. */
export interface EventSender {
  readonly hostId: string;
  /** Version of this package. */
  readonly version: string;
  /** Of the code under test; empty when unknown. */
  readonly codeVersion: string;
  /**
   * Project of all events; `null`: that of the run each fixture is made from. A credential makes it one project anyway, and
   * then round events of several would replace one another.
   */
  readonly project: string | null;
}

/** Where the instrumentation puts runs when nobody names a project. */
const DEFAULT_PROJECT = "default";

/** The project that a fixture's events belong to. What is listed and what is heard must be in the same. */
export const projectOf = (by: EventSender, ofFixture: string): string => by.project ?? (ofFixture || DEFAULT_PROJECT);

/** `interrupted`: the round ended before all its fixtures had a result. */
export type RoundPhase = "started" | "ended" | "interrupted";

export interface RoundNews {
  readonly phase: RoundPhase;
  readonly project: string;
  /** Ids of all fixtures of the tier in that project. */
  readonly fixtureIds: readonly string[];
  readonly missedSlots: number;
  /** What there is to say, in a sentence. */
  readonly explanation: string;
  /** Since the round began. */
  readonly durationMillis: number;
}

/** An event as OTLP has it: one `ResourceLogs`, and the id by which receivers tell a repetition. */
export interface CanaryEvent {
  readonly uid: string;
  readonly timeMillis: number;
  readonly resourceLogs: object;
}

const SERVICE_NAME = "runproof-canary";

const SEVERITIES = { INFO: 9, WARN: 13, ERROR: 17 } as const;
type Severity = keyof typeof SEVERITIES;

/** One event before and one after the fixtures of a round, for each project. Pure. */
export function roundEvent(place: RoundPlace, news: RoundNews, by: EventSender, timeMillis: number): CanaryEvent {
  return eventOf(by, {
    name: semconv.EVENT_CANARY_ROUND,
    subject: news.phase,
    timeMillis,
    severity: news.phase === "interrupted" ? "WARN" : "INFO",
    body: `canary round ${roundIdOf(place.tier, place.slot)} ${news.phase}: ${news.explanation}`,
    project: news.project,
    traceId: "",
    attributes: {
      ...placeAttributes(place),
      [semconv.ATTR_CANARY_PHASE]: news.phase,
      [semconv.ATTR_CANARY_FIXTURES]: JSON.stringify(news.fixtureIds),
      [semconv.ATTR_CANARY_MISSED_SLOTS]: news.missedSlots,
      [semconv.ATTR_CANARY_EXPLANATION]: news.explanation,
      [semconv.ATTR_CANARY_DURATION_MS]: Math.round(news.durationMillis),
      ...present({ [semconv.ATTR_CODE_VERSION]: by.codeVersion }),
    },
  });
}

/** One event for each fixture of a round. Pure. */
export function resultEvent(place: RoundPlace, result: CanaryResult, by: EventSender, timeMillis: number): CanaryEvent {
  return eventOf(by, {
    name: semconv.EVENT_CANARY_RESULT,
    subject: result.fixtureId,
    timeMillis,
    severity: SEVERITY_OF[result.outcome],
    body: `canary ${result.fixtureId}: ${result.outcome}`,
    project: projectOf(by, result.project),
    traceId: result.run?.traceId ?? "",
    attributes: {
      ...placeAttributes(place),
      [semconv.ATTR_FIXTURE_ID]: result.fixtureId,
      [semconv.ATTR_RUN_TYPE]: "canary",
      [semconv.ATTR_CANARY_OUTCOME]: result.outcome,
      [semconv.ATTR_CANARY_FIXTURE_STATE]: result.state,
      [semconv.ATTR_CANARY_EXPLANATION]: result.explanation,
      [semconv.ATTR_CANARY_DURATION_MS]: Math.round(result.durationMillis),
      ...present({
        [semconv.ATTR_AGENT_NAME]: result.agentName,
        [semconv.ATTR_RUN_ID]: result.run?.runId ?? "",
        [semconv.ATTR_CANARY_PROTECTS]: result.protects,
        [semconv.ATTR_CODE_VERSION]: by.codeVersion,
      }),
    },
  });
}

const SEVERITY_OF: Record<CanaryOutcome, Severity> = {
  passing: "INFO",
  stale: "WARN",
  unknown: "WARN",
  failing: "ERROR",
};

const placeAttributes = ({ tier, everySeconds, slot, shard }: RoundPlace): RecordAttributes => ({
  [semconv.ATTR_CANARY_TIER]: tier,
  [semconv.ATTR_CANARY_ROUND_ID]: roundIdOf(tier, slot),
  [semconv.ATTR_CANARY_SLOT]: slot,
  [semconv.ATTR_CANARY_INTERVAL_SECONDS]: everySeconds,
  [semconv.ATTR_CANARY_SHARD]: `${shard.index}/${shard.count}`,
});

const present = (texts: Readonly<Record<string, string>>): RecordAttributes =>
  Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ""));

interface EventContent {
  readonly name: string;
  /** What it is about within its round. */
  readonly subject: string;
  readonly timeMillis: number;
  readonly severity: Severity;
  readonly body: string;
  readonly project: string;
  readonly traceId: string;
  readonly attributes: RecordAttributes;
}

function eventOf(by: EventSender, content: EventContent): CanaryEvent {
  const { attributes, timeMillis, severity } = content;
  const uid = uidOf([
    by.hostId,
    content.project,
    String(attributes[semconv.ATTR_CANARY_ROUND_ID]),
    String(attributes[semconv.ATTR_CANARY_SHARD]),
    content.name,
    content.subject,
    // A clock that was set back gives a slot twice.
    String(timeMillis),
  ]);
  const record = {
    timeUnixNano: unixNanoFromMillis(timeMillis),
    severityNumber: SEVERITIES[severity],
    severityText: severity,
    body: { stringValue: content.body },
    eventName: content.name,
    attributes: keyValues({ ...attributes, [semconv.ATTR_LOG_RECORD_UID]: uid }),
    ...(content.traceId !== "" && { traceId: content.traceId }),
  };
  const resource = keyValues({
    [semconv.ATTR_SERVICE_NAME]: SERVICE_NAME,
    [semconv.ATTR_SERVICE_INSTANCE_ID]: by.hostId,
    ...present({ [semconv.ATTR_PROJECT]: content.project }),
  });
  const scope = { name: semconv.INSTRUMENTATION_SCOPE, version: by.version };
  const resourceLogs = { resource: { attributes: resource }, scopeLogs: [{ scope, logRecords: [record] }] };
  return { uid, timeMillis, resourceLogs };
}

const uidOf = (parts: readonly string[]): string =>
  createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 32);
