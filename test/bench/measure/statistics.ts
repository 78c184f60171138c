/** The arithmetic of the benches: figures from many runs. Pure. */

/** Returns the value below which `share` (0 to 1) of `values` are: the nearest measured one; NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
}

/** Returns the middle value; NaN for none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * Returns the median of the rounds' ratios, not the ratio of the medians: a slow moment of the machine affects both
 * sides of a round. Rounds without a floor do not count.
 */
export function pairedRatio(values: readonly number[], floors: readonly number[]): number {
  return median(values.flatMap((value, round) => (floors[round] === undefined ? [] : value / floors[round])));
}

/** Returns the spread of repeated runs: from the 10th to the 90th percentile, divided by the median. */
export function scatter(values: readonly number[]): number {
  return (quantile(values, 0.9) - quantile(values, 0.1)) / median(values);
}
