/** A Node that is too old for us. */
import type { Finding } from "./finding.ts";

/** Source: `engines` of this package. */
const OLDEST = { major: 20, minor: 19 };

/** Finds a Node that is too old to run this. */
export function checkNode(): readonly Finding[] {
  return ofVersion(process.versions.node);
}

/** Returns the finding for a version of Node. Pure. */
export function ofVersion(version: string): readonly Finding[] {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor)) return [];
  return [
    {
      weight: "error",
      code: "node-old",
      title: `Node ${version} is too old: ${OLDEST.major}.${OLDEST.minor} or newer is needed`,
      evidence: [process.execPath],
      command: null,
    },
  ];
}
