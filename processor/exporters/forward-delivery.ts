import { backoffMillis, type BackoffOptions } from "./backoff.ts";
import type { ForwardCounter, LossReason } from "./forward-counts.ts";
import { type ForwardParcel, halvesOf, parcelBytes } from "./forward-parcel.ts";
import type { OtlpSender, SendOutcome } from "./otlp-sender.ts";

export interface DeliveryOptions {
  readonly sender: OtlpSender;
  readonly counter: ForwardCounter;
  readonly backoff: BackoffOptions;
  /** Whether more waits than may: what fails now is given up, to make room. */
  readonly isFull: () => boolean;
  /** No more attempts, the one under way may end. */
  readonly stopping: AbortSignal;
  /** The attempt under way ends too. */
  readonly deadline: AbortSignal;
}

/** `settled`: taken, refused or given up, and counted. `kept`: neither, because of the stop. */
export type Delivery = "settled" | "kept";

const LOOK_MILLIS = 200;

/** Sends a parcel until its fate is known. Never rejects. */
export async function deliver(parcel: ForwardParcel, options: DeliveryOptions): Promise<Delivery> {
  const { counter, stopping } = options;
  for (let failures = 1; ; failures++) {
    const outcome = await attempt(parcel, options);
    if (outcome.status === "sent") return taken(parcel, outcome, counter);
    if (outcome.status === "retryable" && options.deadline.aborted) return "kept";
    counter.failed(outcome.message);
    if (outcome.status === "refused") return refused(parcel, outcome, options);
    if (options.isFull()) return lost(parcel, "backlog_full", counter);
    if (stopping.aborted) return "kept";
    counter.retried(parcel.kind);
    await wait(backoffMillis(failures, outcome.waitMillis, options.backoff), options);
    if (stopping.aborted) return "kept";
  }
}

const attempt = (parcel: ForwardParcel, { sender, deadline }: DeliveryOptions): Promise<SendOutcome> =>
  sender.send({ kind: parcel.kind, body: parcelBytes(parcel) }, deadline);

function taken(parcel: ForwardParcel, outcome: SendOutcome & { status: "sent" }, counter: ForwardCounter): Delivery {
  counter.sent(parcel.kind, tallyOf(parcel), outcome.rejected);
  if (outcome.message !== "") counter.failed(`taken in part or with a warning: ${outcome.message}`);
  return "settled";
}

/** One bad body must not take the others with it. */
async function refused(
  parcel: ForwardParcel,
  { reason, divisible }: SendOutcome & { status: "refused" },
  options: DeliveryOptions,
): Promise<Delivery> {
  if (!divisible || parcel.bodies.length === 1) return lost(parcel, reason as LossReason, options.counter);
  const [left, right] = halvesOf(parcel);
  const first = await deliver(left, options);
  return first === "kept" ? "kept" : deliver(right, options);
}

function lost(parcel: ForwardParcel, reason: LossReason, counter: ForwardCounter): Delivery {
  counter.lost(parcel.kind, reason, tallyOf(parcel));
  return "settled";
}

const tallyOf = ({ records, bodies, bytes }: ForwardParcel) => ({ records, bodies: bodies.length, bytes });

/** Waits, unless there is a stop or no room for what comes behind: then the next attempt is the last. */
function wait(millis: number, { stopping, isFull }: DeliveryOptions): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      clearInterval(look);
      stopping.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, millis);
    const look = setInterval(() => isFull() && end(), LOOK_MILLIS);
    stopping.addEventListener("abort", end);
  });
}
