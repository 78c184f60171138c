/** Finds files that need each other: CommonJS gives one of them functions of the other that are not there yet. */

/** Returns a way from a file back to itself, as names; undefined when there is none. `needed`: what each file needs. */
export function findCircle(needed) {
  const seen = new Set();
  const visit = (file, way) => {
    if (way.includes(file)) return [...way, file];
    if (seen.has(file)) return undefined;
    seen.add(file);
    for (const next of needed.get(file) ?? []) {
      const circle = visit(next, [...way, file]);
      if (circle !== undefined) return circle;
    }
    return undefined;
  };
  for (const file of needed.keys()) {
    const circle = visit(file, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

/** Fails the build when there is one. */
export function refuseCircle(needed) {
  const circle = findCircle(needed);
  if (circle !== undefined) throw new Error(`files of the bundle need each other: ${circle.join(" -> ")}`);
}
