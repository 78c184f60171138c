/** Checks what the next start of each profile needs. */
import { preflight } from "../run/preflight.ts";
import { adviceOf } from "./finding.ts";
import type { Finding, Scene } from "./finding.ts";

/** Finds profiles that could not be started, or not as configured. */
export async function checkNextStart({ context, patients, facts }: Scene): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { manifest, observed } of patients) {
    const lives = observed.keeper !== null || observed.gateway !== null;
    // Other checks look at the folders of all profiles, at their disk, and at the limits of this shell.
    const faults = await preflight(context, manifest, { skip: ["folders", "disk", "limits"], facts });
    for (const { weight, about, message, evidence, hint } of faults) {
      const goesOn = lives ? ["it runs, and could not be started again"] : [];
      findings.push({
        weight,
        code: `next-start-${about}`,
        title: message.includes(manifest.name) ? message : `${manifest.name}: ${message}`,
        evidence: [...evidence, ...(weight === "error" ? goesOn : [])],
        ...adviceOf(hint),
      });
    }
  }
  return findings;
}
