/**
 * Checks profiles under a service manager: their units compared with what an install would write, and whether the manager
 * outlives a logout.
 */
import { shellCommand } from "@lockkeeper/core/internal";
import { lingers } from "../service-units/linger.ts";
import { userName } from "../service-units/user-name.ts";
import { serviceStatuses } from "../service/service-status.ts";
import type { ServiceStatus } from "../service/service-status.ts";
import type { Finding, Scene } from "./finding.ts";

/** Finds units that are missing, not ours, edited, out of date or failed, and a user's manager that ends with the session. */
export async function checkInstalled({ context, patients }: Scene): Promise<readonly Finding[]> {
  const installed = patients.filter(({ manifest }) => manifest.service !== undefined);
  // Most homes have none, and then no manager is asked.
  if (installed.length === 0 || context.programs.launcher === undefined) return [];
  const statuses = await serviceStatuses(
    context,
    installed.map(({ manifest }) => manifest.name),
  );
  return [...statuses.flatMap(findingsOf), ...lingerFinding(statuses)];
}

function findingsOf(status: ServiceStatus): readonly Finding[] {
  const { profile, file, path, drift, unit, active } = status;
  const install = shellCommand("lockkeeper", "service", "install", profile);
  const found: Finding[] = [];
  const say = (
    weight: Finding["weight"],
    code: string,
    title: string,
    evidence: readonly string[],
    command: string,
  ): void => void found.push({ weight, code, title, evidence, command });
  const where = path ?? "";
  if (file === "absent") say("error", "service-file-missing", `the unit of ${profile} is gone`, [where], install);
  if (file === "unreadable") {
    say("error", "service-file-unreadable", `${where} cannot be read`, drift, shellCommand("ls", "-ld", where));
  }
  if (file === "foreign") {
    say("error", "service-file-foreign", `${where} is not a unit of Lockkeeper`, [], shellCommand("cat", where));
  }
  if (file === "older") say("warning", "service-file-older", `the unit of ${profile} is out of date`, drift, install);
  if (file === "edited") {
    const evidence = ["own lines belong into a drop-in: systemctl edit", ...drift];
    say("warning", "service-file-edited", `the unit of ${profile} was edited`, evidence, `${install} --yes`);
  }
  if (active === "failed") {
    say("error", "service-failed", `${unit ?? "its unit"} has failed`, [], shellCommand("lockkeeper", "why", profile));
  }
  return found;
}

function lingerFinding(statuses: readonly ServiceStatus[]): readonly Finding[] {
  const atBoot = statuses.filter(({ manager, boot }) => manager === "systemd-user" && boot === "auto");
  if (atBoot.length === 0 || lingers()) return [];
  return [
    {
      weight: "warning",
      code: "service-linger",
      title: "your own systemd ends when you log out, and does not start with the host",
      evidence: atBoot.map(({ profile }) => `${profile} is to come up by itself`),
      command: shellCommand("loginctl", "enable-linger", userName()),
    },
  ];
}
