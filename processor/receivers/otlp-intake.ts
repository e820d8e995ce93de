import type { Identity } from "../auth/identity.ts";
import type { LogRow, SpanRow } from "../clickhouse/rows.ts";
import type { Consumer } from "../consumer.ts";
import { decodeLogsJson, decodeLogsProtobuf, decodeTracesJson, decodeTracesProtobuf } from "../otlp/index.ts";
import { logRowsFrom, OtlpDecodeError, rejectedCount, type RowBatch, spanRowsFrom } from "../otlp/index.ts";
import { ACCEPTED, type ConsumeOutcome } from "../outcome.ts";
import type { BodyConsumer } from "./body-consumer.ts";
import type { ByteShare } from "./byte-budget.ts";
import { refusalFromDecodeError } from "./decode-refusal.ts";
import { gunzipCapped } from "./gunzip.ts";
import { FAILED, type IntakeOutcome, NO_MEMORY, type Refusal, type RefusalReason, tooLarge } from "./intake-outcome.ts";
import type { OtlpEncoding, OtlpSignal } from "./otlp-request.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import type { ReceiverGuards } from "./receiver-guards.ts";
import type { ReceiverLimits } from "./receiver-limits.ts";
import { createInspector, inspectedFrom, type Inspector } from "./inspector.ts";
import { MAX_PRIORITY_BYTES, mayHoldRecords, type RecordLane } from "./record-lane.ts";
import { stampProject } from "./stamp-project.ts";

export interface OtlpConsumers {
  readonly traces: Consumer<SpanRow>;
  readonly logs: Consumer<LogRow>;
}

/** Where requests go: rows of each signal, or whole bodies. */
export type OtlpSinks = OtlpConsumers | { readonly bodies: BodyConsumer };

export interface OtlpIntakeOptions {
  readonly sinks: OtlpSinks;
  readonly limits: Pick<ReceiverLimits, "maxCompressedBytes" | "maxBodyBytes">;
  readonly rateLimiter?: RateLimiter | undefined;
  /** Told of defects: a consumer that rejects, a decoder that throws what it must not. The sender is told to retry. */
  readonly onUnexpectedError: (error: unknown) => void;
  /** Told of what is refused here, and not by the consumer. Default: nobody. */
  readonly onRefused?: ReceiverGuards["onRefused"];
}

/** A whole body as it came off the wire, whichever wire. */
export interface WireBody {
  readonly signal: OtlpSignal;
  readonly encoding: OtlpEncoding;
  /** With gzip, once. */
  readonly compressed: boolean;
  readonly bytes: Uint8Array;
  readonly identity: Identity;
}

/** The one way from bytes to an outcome, for HTTP and gRPC alike. */
export interface OtlpIntake {
  /** Never rejects. `share` is charged for what decompression adds; the caller closes it. */
  take(body: WireBody, share: ByteShare): Promise<IntakeOutcome>;
}

export function createOtlpIntake(options: OtlpIntakeOptions): OtlpIntake {
  const inspector = createInspector();
  return {
    async take(body, share) {
      const outcome = await takeOrRefuse(body, share, { ...options, inspector });
      if ("refused" in outcome && !BY_CONSUMER.has(outcome.refused)) options.onRefused?.(outcome.refused);
      return outcome;
    },
  };
}

const BY_CONSUMER: ReadonlySet<RefusalReason> = new Set(["retryable", "permanent"]);

async function takeOrRefuse(body: WireBody, share: ByteShare, intake: Intake): Promise<IntakeOutcome> {
  try {
    return await takeBody(body, share, intake);
  } catch (error) {
    if (error instanceof OtlpDecodeError) return refusalFromDecodeError(error);
    intake.onUnexpectedError(error);
    return FAILED;
  }
}

/** Largest body to read off the wire for a request. */
export function wireLimit(compressed: boolean, limits: OtlpIntakeOptions["limits"]): number {
  return compressed ? limits.maxCompressedBytes : limits.maxBodyBytes;
}

interface Intake extends OtlpIntakeOptions {
  readonly inspector: Inspector;
}

async function takeBody(body: WireBody, share: ByteShare, options: Intake): Promise<IntakeOutcome> {
  const { limits, rateLimiter } = options;
  const maxBytes = wireLimit(body.compressed, limits);
  if (body.bytes.length > maxBytes) return tooLarge(maxBytes, "as sent");
  const { project } = body.identity;
  const wait = rateLimiter?.waitSeconds(project) ?? 0;
  const plain =
    wait > 0 ? await possibleRecords(body, share, limits) : await plainBody(body, share, limits.maxBodyBytes);
  if (plain === undefined) return rateLimited(wait);
  if (!(plain instanceof Uint8Array)) return plain;
  if ("bodies" in options.sinks) return await passOn(body, plain, { ...options, bodies: options.sinks.bodies });
  const batch = decode(body, plain);
  const { lane } = inspectedFrom(batch, plain.length);
  const due = dueSeconds(lane, body, plain, rateLimiter);
  if (due > 0) return rateLimited(due);
  if (body.identity.proven) stampProject(batch.rows, project);
  return outcomeOf(batch.rows.length === 0 ? ACCEPTED : await consumeRows(batch, options.sinks), batch);
}

/** Hands the body on as it is, once it is known to be good. */
async function passOn(
  body: WireBody,
  plain: Uint8Array,
  { bodies, inspector, rateLimiter }: Intake & { readonly bodies: BodyConsumer },
): Promise<IntakeOutcome> {
  const { signal, encoding, identity } = body;
  // It need not become rows for that.
  const found = encoding === "protobuf" ? inspector[signal](plain) : inspectedFrom(decode(body, plain), plain.length);
  const due = dueSeconds(found.lane, body, plain, rateLimiter);
  if (due > 0) return rateLimited(due);
  if (found.records === 0) return outcomeOf(ACCEPTED, found);
  const project = identity.proven ? identity.project : "";
  const own = { signal, encoding, bytes: plain, project, receivedAtMillis: Date.now() };
  const summary = { records: found.records, rejected: rejectedCount(found), lane: found.lane };
  return outcomeOf(await bodies.consume(own, summary), found);
}

/** The priority lane is never charged. */
const dueSeconds = (lane: RecordLane, body: WireBody, plain: Uint8Array, limiter: RateLimiter | undefined): number =>
  lane === "priority" ? 0 : (limiter?.charge(body.identity.project, plain.length) ?? 0);

/** What a project over its rate may still send, inflated; `undefined` when that can be told without decoding. */
async function possibleRecords(
  body: WireBody,
  share: ByteShare,
  { maxBodyBytes }: OtlpIntakeOptions["limits"],
): Promise<Uint8Array | Refusal | undefined> {
  if (body.signal !== "traces" || body.bytes.length > MAX_PRIORITY_BYTES) return undefined;
  const plain = await plainBody(body, share, Math.min(MAX_PRIORITY_BYTES, maxBodyBytes));
  if (!(plain instanceof Uint8Array)) return plain.refused === "too_large" ? undefined : plain;
  return mayHoldRecords(plain) ? plain : undefined;
}

const rateLimited = (seconds: number): Refusal => ({
  refused: "rate_limited",
  message: "The project sends more than its limit; send again later.",
  retryAfterSeconds: seconds,
});

async function plainBody(body: WireBody, share: ByteShare, maxBytes: number): Promise<Uint8Array | Refusal> {
  if (!body.compressed) return body.bytes;
  const result = await gunzipCapped(body.bytes, maxBytes, share);
  switch (result.status) {
    case "complete":
      return result.bytes;
    case "too_large":
      return tooLarge(maxBytes, "after decompression");
    case "no_memory":
      return NO_MEMORY;
    case "broken":
      return { refused: "not_decodable", message: `The body is not valid gzip (${result.detail}).` };
  }
}

/** Rows of one request, with the signal they belong to. */
type SignalBatch =
  | ({ readonly signal: "traces" } & RowBatch<SpanRow>)
  | ({ readonly signal: "logs" } & RowBatch<LogRow>);

/** @throws OtlpDecodeError */
function decode({ signal, encoding }: WireBody, bytes: Uint8Array): SignalBatch {
  if (signal === "traces") {
    return { signal, ...spanRowsFrom(encoding === "json" ? decodeTracesJson(bytes) : decodeTracesProtobuf(bytes)) };
  }
  return { signal, ...logRowsFrom(encoding === "json" ? decodeLogsJson(bytes) : decodeLogsProtobuf(bytes)) };
}

const consumeRows = (batch: SignalBatch, { traces, logs }: OtlpConsumers): Promise<ConsumeOutcome> =>
  batch.signal === "traces" ? traces.consume(batch.rows) : logs.consume(batch.rows);

/** What the consumer did with the rows, and the records that never became rows. */
function outcomeOf(outcome: ConsumeOutcome, batch: Pick<SignalBatch, "rejections">): IntakeOutcome {
  const reasons = [...batch.rejections].map(([reason, records]) => `${records} rejected: ${reason}`);
  switch (outcome.status) {
    case "accepted":
      return { rejected: rejectedCount(batch), message: reasons.join("; ") };
    case "partial":
      return {
        rejected: rejectedCount(batch) + outcome.rejected,
        message: [...reasons, outcome.message].join("; "),
      };
    case "retryable": {
      const { message, retryAfterSeconds } = outcome;
      return { refused: "retryable", message, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
    }
    case "permanent":
      return { refused: "permanent", message: outcome.message };
  }
}
