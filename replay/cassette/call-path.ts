/** A call path taken apart: `plan#0/search#2` is the third `search` of the step `plan#0`. */
export interface CallPlace {
  /** The path up to the ordinal, `plan#0/search`: calls that share it were counted together. */
  readonly step: string;
  readonly ordinal: number;
}

/** A path without an ordinal is a step of its own with the ordinal 0. */
export function callPlace(path: string): CallPlace {
  const hash = path.lastIndexOf("#");
  const digits = path.slice(hash + 1);
  if (hash < 0 || !/^\d{1,15}$/.test(digits)) return { step: path, ordinal: 0 };
  return { step: path.slice(0, hash), ordinal: Number(digits) };
}
