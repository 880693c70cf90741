/** Of at least one figure. */
export function median (figures: number[]): number {
  return quantile(figures, 0.5)
}

/** The smallest figure that is no less than this part of them (nearest rank). */
export function quantile (figures: number[], part: number): number {
  const sorted = figures.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? NaN
}
