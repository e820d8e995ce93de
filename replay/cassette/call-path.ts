/** A call path taken apart: `plan#0/search#2` is the third `search` of the step `plan#0`. */
export interface CallPlace {
  /** The path up to the ordinal, `plan#0/search`: calls that share it were counted together. */
  readonly step: string;
  readonly ordinal: number;
}

/** Whether a call was made within one of others: `search#0/GET api.example.org#1` within `search#0`. */
export function isBelow(path: string, others: ReadonlySet<string>): boolean {
  for (let slash = path.lastIndexOf("/"); slash >= 0; slash = path.lastIndexOf("/", slash - 1)) {
    if (slash > 0 && others.has(path.slice(0, slash))) return true;
    if (slash === 0) return false;
  }
  return false;
}

/** A path without an ordinal is a step of its own with the ordinal 0. */
export function callPlace(path: string): CallPlace {
  const hash = path.lastIndexOf("#");
  const digits = path.slice(hash + 1);
  if (hash < 0 || !/^\d{1,15}$/.test(digits)) return { step: path, ordinal: 0 };
  return { step: path.slice(0, hash), ordinal: Number(digits) };
}
