/** Checks for settings that cannot be read or that point at something that is gone. */
import { LockkeeperError } from "@lockkeeper/core";
import { readSettings } from "../settings/settings.ts";
import { adviceOf } from "./finding.ts";
import type { Finding, Scene } from "./finding.ts";

/** Finds settings that cannot be read, and a default profile that does not exist. */
export function checkSettings({ context, patients, facts }: Scene): readonly Finding[] {
  const findings: Finding[] = [];
  const settings = attempt(() => readSettings(context.home), findings);
  const name = settings?.defaultProfile ?? null;
  if (name !== null && patients.length > 0 && !patients.some(({ manifest }) => manifest.name === name)) {
    findings.push({
      weight: "warning",
      code: "default-missing",
      title: `the default profile ${name} does not exist`,
      evidence: [`${context.home} has ${patients.length} profiles, none of that name`],
      command: "lockkeeper list",
      hint: "Choose another: lockkeeper use NAME",
    });
  }
  for (const { manifest } of patients) {
    const fault = manifest.kind === "builtin" ? facts.settingsFault(manifest.paths.config) : undefined;
    if (fault !== undefined) findings.push(ofFault(fault));
  }
  return findings;
}

function attempt<T>(read: () => T, findings: Finding[]): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    findings.push(ofFault(error));
    return undefined;
  }
}

function ofFault({ message, hint }: LockkeeperError): Finding {
  return { weight: "error", code: "config-damaged", title: message, evidence: [], ...adviceOf(hint) };
}
