/** The arithmetic of the benches: what is quoted of many runs. Pure. */

/** Returns the value below which `share` (0 to 1) of `values` lie, the nearest one that was measured; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
}

/** Returns the middle value; NaN of none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * Returns the median of the rounds' ratios, and not the ratio of medians: what slows the machine for a while slows both of a
 * round. Rounds without a floor do not count.
 */
export function pairedRatio(values: readonly number[], floors: readonly number[]): number {
  return median(values.flatMap((value, round) => (floors[round] === undefined ? [] : value / floors[round])));
}

/** Returns how far apart runs of the same thing lie: from the tenth to the ninetieth of a hundred, over the median. */
export function scatter(values: readonly number[]): number {
  return (quantile(values, 0.9) - quantile(values, 0.1)) / median(values);
}
