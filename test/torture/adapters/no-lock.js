/** Positive control: no exclusion at all. The harness must catch it. */
export async function acquire() {
  return async () => {};
}
