/**
 * Checks service units that start gateways: for a profile that is gone, with a program that is gone, or several units for one
 * gateway. The old unit of an adopted gateway counts for as long as it is enabled.
 */
import { realPath, shownCommand } from "@lockkeeper/core/internal";
import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { readGatewayUnits, unitProfile } from "../service-units/service-units.ts";
import type { ServiceUnit } from "../service-units/service-units.ts";
import { findPm2Rivals, unitsByStateDirectory } from "../service/rivals.ts";
import { disableCommand, editCommand } from "../service-units/systemctl.ts";
import { unitHome } from "../service-units/unit-environment.ts";
import { isAdopted } from "../manifest.ts";
import type { Finding, Scene } from "./finding.ts";

/** Finds units that start something that is gone, or that another unit starts too. */
export async function checkServices({ context, roots, patients }: Scene): Promise<readonly Finding[]> {
  const { home } = context;
  const findings: Finding[] = [];
  const starters = new Map<string, ServiceUnit[]>();
  for (const unit of readGatewayUnits(roots)) {
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
        evidence: [unit.path, shownCommand(unit.argv)],
        command: disableCommand(unit),
      });
    }
  }
  const before = await unitsFromBefore({ roots, patients });
  for (const { manifest, observed } of patients) {
    const ours = starters.get(manifest.name) ?? [];
    const theirs = before.get(manifest.paths.state) ?? [];
    const keeper = observed.keeper === null ? [] : [`keeper of ours (pid ${observed.keeper.pid})`];
    const rivals = [...ours, ...theirs];
    for (const { name, evidence, disable } of rivals.length === 0 ? [] : findPm2Rivals(context, manifest)) {
      const title = `${name} starts ${manifest.name} beside ${rivals.map((unit) => unit.name).join(", ")}`;
      findings.push({ weight: "error", code: "service-duel", title, evidence, command: disable });
    }
    const last = rivals.at(-1);
    const duel = ours.length > 1 || (theirs.length > 0 && (ours.length > 0 || keeper.length > 0));
    if (last !== undefined && duel) {
      const command = isSomebodyElses(last, roots.userHome) ? null : disableCommand(last);
      findings.push(duelOf(manifest.name, rivals, command, theirs.length > 0 ? keeper : []));
    }
  }
  return findings;
}

/** Enabled units that start adopted gateways without us, by real state directory. */
async function unitsFromBefore({
  roots,
  patients,
}: Pick<Scene, "roots" | "patients">): Promise<ReadonlyMap<string, readonly ServiceUnit[]>> {
  return patients.some(({ manifest }) => isAdopted(manifest)) ? unitsByStateDirectory(roots) : new Map();
}

/** The profile of this home that the unit runs. */
function profileOf(unit: ServiceUnit, home: string): string | undefined {
  const run = unitProfile(unit);
  return run === undefined || realPath(run.home ?? home) !== realPath(home) ? undefined : run.name;
}

function programMissing(unit: ServiceUnit, missing: string): Finding {
  return {
    weight: "error",
    code: "service-program-missing",
    title: `the unit ${unit.name} starts a program that is not there any more`,
    evidence: [unit.path, missing],
    command: editCommand(unit),
  };
}

/** The owner decides which unit stays; the command is for the last one found. */
function duelOf(
  profile: string,
  units: readonly ServiceUnit[],
  command: string | null,
  keeper: readonly string[],
): Finding {
  return {
    weight: "error",
    code: "service-duel",
    title: `${units.length + keeper.length} managers start ${profile}`,
    evidence: [...units.map(({ path }) => path), ...keeper],
    command,
  };
}

/** A unit that runs as another user must be switched off by that user. */
function isSomebodyElses(unit: ServiceUnit, userHome: string): boolean {
  return unitHome(unit, userHome) !== userHome;
}
