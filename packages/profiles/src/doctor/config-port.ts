/** Checks for a config that names another port than the profile. */
import { kinds } from "../kinds/kinds.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";
import type { Finding, Scene } from "./finding.ts";

/** Finds ports that a config was given later. */
export async function checkConfigPort({ patients }: Scene): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const patient of patients) {
    // Only the config of a program that people also run without us has a port.
    const finding = kinds[patient.manifest.kind].foreign === undefined ? undefined : await ofPort(patient);
    if (finding !== undefined) findings.push(finding);
  }
  return findings;
}

async function ofPort({ manifest }: ProfileObservation): Promise<Finding | undefined> {
  const { name, kind, port, paths } = manifest;
  const config = await (await kinds[kind].foreign?.())?.readConfig(manifest);
  if (config === undefined || config.port === null || config.port === port) return undefined;
  return {
    weight: "warning",
    code: "config-port-ignored",
    title: `the config of ${name} says port ${config.port}, and the profile says ${port}, which counts`,
    evidence: [paths.config, `either change the profile, as below, or put ${port} into the config`],
    command: `lockkeeper edit ${name} --port ${config.port}`,
  };
}
