/** Orders nanoseconds in decimal text: of one length they compare as numbers, a shorter one is earlier. */
export const compareNano = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
