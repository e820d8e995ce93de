/** A bounded memory: when it is full, what was touched longest ago is forgotten. */
export interface RecentMap<Value> {
  readonly size: number;
  has(key: string): boolean;
  /** Reading is touching. */
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  /** Whether it was there. */
  delete(key: string): boolean;
}

export function createRecentMap<Value>(max: number): RecentMap<Value> {
  // A Map keeps the order of insertion: what is set anew goes to the end.
  const entries = new Map<string, Value>();
  const set = (key: string, value: Value): void => {
    entries.delete(key);
    entries.set(key, value);
    if (entries.size <= max) return;
    const [oldest] = entries.keys();
    if (oldest !== undefined) entries.delete(oldest);
  };
  return {
    get size() {
      return entries.size;
    },
    has: (key) => entries.has(key),
    get(key) {
      const value = entries.get(key);
      if (value !== undefined) set(key, value);
      return value;
    },
    set,
    delete: (key) => entries.delete(key),
  };
}
