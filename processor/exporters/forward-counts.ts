import type { RecordKind } from "../spool/index.ts";

/** Spans or log records, the bodies they came in, and the bytes of these as protobuf. */
export interface ForwardTally {
  readonly records: number;
  readonly bodies: number;
  readonly bytes: number;
}

/** Why something is given up. `backlog_full`: older than the bound allows. `undecodable`: a defect. Otherwise the answer's code. */
export type LossReason = "backlog_full" | "events_full" | "disk" | "undecodable" | `http_${number}` | `grpc_${string}`;

/** Since the start of the process. Whatever was read is in exactly one of `sent` and `lost`, or still in the backlog. */
export interface SignalCounts {
  /** In requests that were taken; `rejected` of these records the other side named as not taken. */
  readonly sent: ForwardTally;
  readonly rejected: number;
  /** Given up, by reason. */
  readonly lost: Readonly<Record<string, ForwardTally>>;
  readonly requests: number;
  /** Attempts that failed and were repeated. */
  readonly retries: number;
}

export interface ForwardCounts {
  readonly traces: SignalCounts;
  readonly logs: SignalCounts;
  /** Of the last attempt that failed or was taken in part; for the operator. */
  readonly lastError: { readonly message: string; readonly atMillis: number } | undefined;
  readonly lastSuccessAtMillis: number | undefined;
}

export interface ForwardCounter {
  sent(kind: RecordKind, tally: ForwardTally, rejected: number): void;
  lost(kind: RecordKind, reason: LossReason, tally: ForwardTally): void;
  retried(kind: RecordKind): void;
  failed(message: string): void;
  /** A copy. */
  counts(): ForwardCounts;
}

interface MutableCounts {
  sent: ForwardTally;
  rejected: number;
  lost: Map<LossReason, ForwardTally>;
  requests: number;
  retries: number;
}

const NONE: ForwardTally = { records: 0, bodies: 0, bytes: 0 };

const sum = (a: ForwardTally, b: ForwardTally): ForwardTally => ({
  records: a.records + b.records,
  bodies: a.bodies + b.bodies,
  bytes: a.bytes + b.bytes,
});

export function createForwardCounter(now: () => number): ForwardCounter {
  const fresh = (): MutableCounts => ({ sent: NONE, rejected: 0, lost: new Map(), requests: 0, retries: 0 });
  const signals = { traces: fresh(), logs: fresh() };
  let lastError: ForwardCounts["lastError"];
  let lastSuccessAtMillis: number | undefined;
  const copy = ({ lost, ...rest }: MutableCounts): SignalCounts => ({ ...rest, lost: Object.fromEntries(lost) });

  return {
    sent(kind, tally, rejected) {
      const counts = signals[kind];
      counts.sent = sum(counts.sent, tally);
      // A figure from outside: never more than there was.
      counts.rejected += Math.min(rejected, tally.records);
      counts.requests++;
      lastSuccessAtMillis = now();
    },
    lost(kind, reason, tally) {
      const { lost } = signals[kind];
      lost.set(reason, sum(lost.get(reason) ?? NONE, tally));
    },
    retried(kind) {
      signals[kind].retries++;
    },
    failed(message) {
      lastError = { message, atMillis: now() };
    },
    counts: () => ({ traces: copy(signals.traces), logs: copy(signals.logs), lastError, lastSuccessAtMillis }),
  };
}
