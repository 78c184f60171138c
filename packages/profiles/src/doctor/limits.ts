/** Checks the limits of open files, and gateways that are close to them. */
import { countOpenFiles, openFileLimit } from "@lockkeeper/core/internal";
import type { Finding, Scene } from "./finding.ts";

/** With fewer files a gateway with some hundred clients stops accepting. */
const SENSIBLE_FILES = 1024;
const NEARLY = 0.8;

/** Finds limits of open files that are too low, or nearly reached. */
export function checkLimits({ patients }: Scene): readonly Finding[] {
  const own = openFileLimit();
  if (own === undefined) {
    const title = "the limit of open files is unknown on this system";
    return [{ weight: "unknown", code: "limit-unknown", title, evidence: [process.platform], command: null }];
  }
  const findings: Finding[] = [];
  if (own < SENSIBLE_FILES) {
    findings.push({
      weight: "warning",
      code: "limit-low",
      title: `a process may have only ${own} files open`,
      evidence: [`gateways started from here inherit it; ${SENSIBLE_FILES} or more is usual`],
      command: `ulimit -n ${SENSIBLE_FILES}`,
    });
  }
  for (const { manifest, observed } of patients) {
    if (observed.gateway === null) continue;
    const { pid } = observed.gateway;
    const limit = openFileLimit(pid);
    const used = countOpenFiles(pid);
    if (limit === undefined || used === undefined || used < limit * NEARLY) continue;
    findings.push({
      weight: "error",
      code: "limit-near",
      title: `${manifest.name} has nearly as many files open as it may`,
      evidence: [`pid ${pid}: ${used} of ${limit}`],
      command: `lockkeeper restart ${manifest.name}`,
    });
  }
  return findings;
}
