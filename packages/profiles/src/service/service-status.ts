/** The state of a profile's unit: its file compared with what it should be, and the manager's answer. Changes nothing. */
import { LockkeeperError } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import { entriesOf } from "../directory-entries.ts";
import type { InstalledService, Manifest } from "../manifest.ts";
import { readRegistry, requireFrom } from "../registry/registry.ts";
import { showUnit } from "../service-units/systemd.ts";
import { inspectUnitFile, lineDifference } from "./unit-file.ts";
import type { UnitPresence } from "./unit-file.ts";
import { unitOf } from "./unit-of.ts";

/** One profile's unit. A contract with scripts: fields are added, never renamed or removed. */
export interface ServiceStatus {
  readonly profile: string;
  /** `no`: no unit of ours starts it. */
  readonly installed: "yes" | "no";
  readonly manager: InstalledService["manager"] | null;
  readonly unit: string | null;
  readonly path: string | null;
  readonly boot: InstalledService["boot"] | null;
  /** The file compared with what an install would write now. `unreadable`: there is something that cannot be read as a file. */
  readonly file: "same" | "older" | "edited" | "absent" | "foreign" | "unreadable" | null;
  /** `- line` is in the file, `+ line` is what an install would write. */
  readonly drift: readonly string[];
  /** The owner's drop-ins. */
  readonly dropIns: readonly string[];
  /** What the manager says: `active`, `inactive`, `failed`, ...; null when it cannot be asked. */
  readonly active: string | null;
  readonly enabled: string | null;
  readonly restarts: number | null;
  readonly statusText: string | null;
}

/** Returns the state of each profile's unit. @throws {LockkeeperError} PROFILE_NOT_FOUND */
export async function serviceStatuses(
  context: ProfilesContext,
  names: readonly string[],
): Promise<readonly ServiceStatus[]> {
  const registry = readRegistry(context.home, context.owner);
  const manifests = names.map((name) => requireFrom(registry, context.home, name));
  return Promise.all(manifests.map((manifest) => statusOfUnit(context, manifest)));
}

async function statusOfUnit(context: ProfilesContext, manifest: Manifest): Promise<ServiceStatus> {
  const { service, name: profile } = manifest;
  if (service === undefined) return { ...NOT_INSTALLED, profile };
  const unit = unitOf(context, manifest);
  const present = inspectUnitFile(unit);
  const drift = driftOf(present, unit.text);
  const folder = `${unit.path}.d`;
  const dropIns = entriesOf(folder)
    .filter((entry) => entry.endsWith(".conf"))
    .map((entry) => `${folder}/${entry}`);
  const said = await ask(context, service);
  return {
    profile,
    installed: "yes",
    manager: service.manager,
    unit: service.unit,
    path: unit.path,
    boot: service.boot,
    file: present.is,
    drift,
    dropIns,
    active: said["ActiveState"] ?? null,
    enabled: said["UnitFileState"] || null,
    restarts: said["NRestarts"] === undefined ? null : Number(said["NRestarts"]),
    statusText: said["StatusText"] || null,
  };
}

/** The first line of our units is a checksum of the lines below, so it is not compared. */
function driftOf(present: UnitPresence, wanted: string): readonly string[] {
  if (present.is === "absent" || present.is === "same") return [];
  if (present.is === "unreadable") return [present.error.message];
  return lineDifference(present.text, wanted).filter((line) => !line.slice(2).startsWith("# lockkeeper unit "));
}

const NOT_INSTALLED: Omit<ServiceStatus, "profile"> = {
  installed: "no",
  manager: null,
  unit: null,
  path: null,
  boot: null,
  file: null,
  drift: [],
  dropIns: [],
  active: null,
  enabled: null,
  restarts: null,
  statusText: null,
};

async function ask(
  { env }: ProfilesContext,
  { manager, unit }: InstalledService,
): Promise<Readonly<Record<string, string>>> {
  if (manager === "launchd") return {};
  try {
    return await showUnit(manager, unit, ["ActiveState", "UnitFileState", "NRestarts", "StatusText"], env);
  } catch (error) {
    if (error instanceof LockkeeperError && error.code === "MANAGER_UNREACHABLE") return {};
    throw error;
  }
}
