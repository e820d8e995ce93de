/** PURE: what a list of numbers says. */

/** `share` 0.5 is the median; 0 for no numbers. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export const median = (numbers: readonly number[]): number => quantile(numbers, 0.5);

/** Least squares through points one step apart, per step. */
export function slope(numbers: readonly number[]): number {
  if (numbers.length < 2) return 0;
  const middle = (numbers.length - 1) / 2;
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  let above = 0;
  let below = 0;
  for (const [index, value] of numbers.entries()) {
    above += (index - middle) * (value - mean);
    below += (index - middle) ** 2;
  }
  return above / below;
}

/** With so many digits behind the point. */
export const rounded = (value: number, digits = 0): number => Math.round(value * 10 ** digits) / 10 ** digits;
