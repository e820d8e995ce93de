/** Names and values of `IncomingMessage.rawHeaders`, as they were written and in their order. */
export const headerPairs = (raw: readonly string[]): (readonly [name: string, value: string])[] =>
  Array.from({ length: raw.length / 2 }, (_, index) => [raw[index * 2] ?? "", raw[index * 2 + 1] ?? ""] as const);
