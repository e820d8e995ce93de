/** What a session is made of, for closing it. */
export interface Closable {
  close(): Promise<void>;
}

export interface SessionLimits {
  readonly maxSessions: number;
  /** A session that is asked nothing for so long is closed. */
  readonly idleMillis: number;
}

export const DEFAULT_SESSION_LIMITS: SessionLimits = { maxSessions: 16, idleMillis: 30 * 60_000 };

/** Sessions by id. Each belongs to the credential that opened it. */
export interface Sessions<Session extends Closable> {
  /** Takes a place before a session exists; `undefined` when there is none. Sessions that have been idle make room. */
  reserve(): Place<Session> | undefined;
  /** The session, if it is this holder's; marks it used. */
  find(id: string, holder: string): Session | undefined;
  /** Counts a request under way: a session with one is not idle. */
  begin(id: string): () => void;
  drop(id: string): void;
  readonly size: number;
  closeIdle(): void;
  closeAll(): Promise<void>;
}

export interface Place<Session> {
  fill(id: string, holder: string, session: Session): void;
  /** Gives the place back if it was never filled. */
  release(): void;
}

interface Entry<Session> {
  readonly holder: string;
  readonly session: Session;
  usedAt: number;
  busy: number;
}

/** `now` in milliseconds from anywhere. */
export function createSessions<Session extends Closable>(
  limits: SessionLimits,
  now: () => number = () => performance.now(),
): Sessions<Session> {
  const entries = new Map<string, Entry<Session>>();
  let reserved = 0;

  function drop(id: string): void {
    const entry = entries.get(id);
    entries.delete(id);
    entry?.session.close().catch(() => {});
  }

  function closeIdle(): void {
    for (const [id, { busy, usedAt }] of entries) {
      if (busy === 0 && now() - usedAt >= limits.idleMillis) drop(id);
    }
  }

  return {
    reserve() {
      closeIdle();
      if (entries.size + reserved >= limits.maxSessions) return undefined;
      reserved++;
      let isHeld = true;
      const release = (): void => {
        if (isHeld) reserved--;
        isHeld = false;
      };
      return {
        fill(id, holder, session) {
          release();
          entries.set(id, { holder, session, usedAt: now(), busy: 0 });
        },
        release,
      };
    },
    find(id, holder) {
      closeIdle();
      const entry = entries.get(id);
      if (entry === undefined || entry.holder !== holder) return undefined;
      entry.usedAt = now();
      return entry.session;
    },
    begin(id) {
      const entry = entries.get(id);
      if (entry === undefined) return () => {};
      entry.busy++;
      return () => {
        entry.busy--;
        entry.usedAt = now();
      };
    },
    drop,
    get size() {
      return entries.size;
    },
    closeIdle,
    async closeAll() {
      const all = [...entries.values()];
      entries.clear();
      await Promise.allSettled(all.map(({ session }) => session.close()));
    },
  };
}
