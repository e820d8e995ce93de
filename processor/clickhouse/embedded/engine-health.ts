import type { EngineChild } from "./engine-child.ts";

/**
 * What is wrong with a child that has to be replaced. `silent`: not even its event loop answers. `stuck`: statements do
 * not end although it does. `memory`: it holds more than it may. `disk`: it serves a part that a full disk left incomplete; when it
 * opens its directory anew it takes what that part was merged from.
 */
export type EngineIllness = "silent" | "stuck" | "memory" | "disk";

export interface EngineHealthOptions {
  /** Silence after which the child counts as hung, milliseconds. */
  readonly silentAfterMillis: number;
  /** Time that a trivial statement may take, milliseconds; a machine at its limit is slow, too. */
  readonly stuckAfterMillis: number;
  /** Resident memory, bytes. */
  readonly maxRssBytes: number;
  /** Whether damaged parts are reason enough by now: a disk that goes on damaging them must not make the engine spin. */
  readonly mayHeal: () => boolean;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
}

export interface EngineHealth {
  /** Judges by what the child has answered and asks it anew. To be called every `PROBE_EVERY_MILLIS`. */
  check(): EngineIllness | undefined;
  /** The last statement was executed, and lately. */
  isWell(): boolean;
  /** It has not given a sign of life for some seconds; it would not hear a request to end either. */
  isSilent(): boolean;
  readonly rssBytes: number | undefined;
  /** Of the last trivial statement, from the question to its answer. */
  readonly statementMillis: number | undefined;
}

export const PROBE_EVERY_MILLIS = 1_000;
/** Ticks without an answer until the child is not called well any more; replacing it takes longer. */
const MISSED_TICKS = 4;

/** Watches over one child. */
export function createEngineHealth(
  child: Pick<EngineChild, "send" | "onMessage">,
  options: EngineHealthOptions,
): EngineHealth {
  const { now } = options;
  let checkedAt = now();
  let aliveAt = checkedAt;
  let answeredAt = checkedAt;
  let lastId = 0;
  let asked: { readonly id: number; at: number } | undefined;
  let rssBytes: number | undefined;
  let statementMillis: number | undefined;
  let isDamaged = false;

  child.onMessage((message) => {
    if (message.type === "alive") {
      aliveAt = now();
      rssBytes = message.rssBytes;
    } else if (message.type === "answered" && message.id === asked?.id) {
      answeredAt = now();
      statementMillis = answeredAt - asked.at;
      asked = undefined;
    } else if (message.type === "damaged") isDamaged = true;
  });

  /** After this process itself stood still, answers wait unread: silence until now says nothing about the child. */
  function forgiveOwnAbsence(time: number): void {
    const absent = time - checkedAt - PROBE_EVERY_MILLIS;
    checkedAt = time;
    if (absent < 2 * PROBE_EVERY_MILLIS) return;
    aliveAt += absent;
    answeredAt += absent;
    if (asked !== undefined) asked.at += absent;
  }

  function illness(time: number): EngineIllness | undefined {
    if (time - aliveAt > options.silentAfterMillis) return "silent";
    if (asked !== undefined && time - asked.at > options.stuckAfterMillis) return "stuck";
    if (rssBytes !== undefined && rssBytes > options.maxRssBytes) return "memory";
    return isDamaged && options.mayHeal() ? "disk" : undefined;
  }

  return {
    check() {
      const time = now();
      forgiveOwnAbsence(time);
      const found = illness(time);
      if (found !== undefined) return found;
      const statement = asked === undefined;
      const id = ++lastId;
      if (statement) asked = { id, at: time };
      child.send({ type: "probe", id, statement });
      return undefined;
    },
    isWell: () => now() - Math.min(aliveAt, answeredAt) < MISSED_TICKS * PROBE_EVERY_MILLIS,
    isSilent: () => now() - aliveAt >= MISSED_TICKS * PROBE_EVERY_MILLIS,
    get rssBytes() {
      return rssBytes;
    },
    get statementMillis() {
      return statementMillis;
    },
  };
}
