/** Service units that start gateways: of profiles that are gone, with programs that are gone, or twice for one. */
import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { readGatewayUnits, type ServiceUnit, systemctlArgv, unitProfile } from "../discover/service-units.ts";
import { realOf } from "../directories/directory-rules.ts";
import type { Finding, Scene } from "./finding.ts";

export function checkServices({ context: { home }, roots, patients }: Scene): readonly Finding[] {
  const findings: Finding[] = [];
  const starters = new Map<string, ServiceUnit[]>();
  for (const unit of readGatewayUnits(roots.unitDirectories)) {
    const missing = unit.argv.slice(0, 2).find((part) => isAbsolute(part) && !existsSync(part));
    const profile = profileOf(unit, home);
    if (profile === undefined) continue;
    if (missing !== undefined) findings.push(programMissing(unit, missing));
    if (patients.some(({ manifest }) => manifest.name === profile)) {
      starters.set(profile, [...(starters.get(profile) ?? []), unit]);
    } else {
      findings.push({
        weight: "error",
        code: "service-profile-missing",
        title: `the unit ${unit.name} starts the profile ${profile}, which does not exist`,
        evidence: [unit.path, unit.argv.join(" ")],
        command: disable(unit),
      });
    }
  }
  for (const { manifest } of patients) {
    const [first, ...others] = starters.get(manifest.name) ?? [];
    if (first !== undefined && others.length > 0) findings.push(duel(manifest.name, [first, ...others]));
  }
  return findings;
}

/** The profile of this home that the unit runs. OpenClaw's own units are `discover`'s matter. */
function profileOf(unit: ServiceUnit, home: string): string | undefined {
  const run = unitProfile(unit);
  return run === undefined || realOf(run.home ?? home) !== realOf(home) ? undefined : run.name;
}

function programMissing(unit: ServiceUnit, missing: string): Finding {
  return {
    weight: "error",
    code: "service-program-missing",
    title: `the unit ${unit.name} starts a program that is not there any more`,
    evidence: [unit.path, missing],
    command:
      unit.manager === "launchd"
        ? `plutil -p ${unit.path}`
        : systemctlArgv(unit, ["edit", "--full", unit.name]).join(" "),
  };
}

/** Which of them is to stay is the owner's to say; the command is for the last one found. */
function duel(profile: string, units: readonly [ServiceUnit, ...ServiceUnit[]]): Finding {
  return {
    weight: "error",
    code: "service-duel",
    title: `${units.length} service units start ${profile}`,
    evidence: units.map(({ path }) => path),
    command: disable(units.at(-1) ?? units[0]),
  };
}

function disable(unit: ServiceUnit): string {
  return unit.manager === "launchd"
    ? `launchctl unload -w ${unit.path}`
    : systemctlArgv(unit, ["disable", "--now", unit.name]).join(" ");
}
