/**
 * Installs the unit that runs a profile under a service manager, and removes it again. Nothing is half installed: a step that
 * the manager refuses is undone. A running gateway is handed over, and there are never two at once.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { shellCommand } from "@lockkeeper/core/internal";
import { existsSync } from "node:fs";
import path from "node:path";
import type { ProfilesContext } from "../context.ts";
import { kinds } from "../kinds/kinds.ts";
import type { InstalledService, Manifest } from "../manifest.ts";
import { changeRegistry } from "../registry/registry-change.ts";
import { readRegistry, requireFrom } from "../registry/registry.ts";
import { findProgram } from "../run/find-program.ts";
import { launchPlan } from "../run/launch-plan.ts";
import { preflight } from "../run/preflight.ts";
import { stopProfile } from "../run/stop.ts";
import { lingers } from "../service-units/linger.ts";
import { userName } from "../service-units/user-name.ts";
import { managerEnvironment, requireSystemctl, systemctl } from "../service-units/systemd.ts";
import { observeManifest } from "../status/observe-profile.ts";
import { askUnit, startManaged, stopManaged } from "./managed-run.ts";
import { findRivals } from "./rivals.ts";
import { inspectUnitFile, removeUnitFile, unreadableUnit, writeUnitFile } from "./unit-file.ts";
import { unitOf, unitPath } from "./unit-of.ts";
import type { ProfileUnit, UnitOptions } from "./unit-of.ts";

/** How a unit is installed. */
export interface InstallOptions extends UnitOptions {
  /** Check and show, change nothing. @default false */
  readonly dryRun?: boolean | undefined;
  /** Overwrite our unit although it was edited. @default false */
  readonly overwrite?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** How a unit is removed. */
export type UninstallOptions = Pick<InstallOptions, "signal" | "onProgress">;

/** The result of an install, or its plan. */
export interface InstallResult {
  readonly outcome: "installed" | "already-installed" | "would-install";
  readonly profile: string;
  readonly unit: string;
  readonly path: string;
  readonly text: string;
  readonly boot: InstalledService["boot"];
  /** Whether a running gateway was handed over to the manager. */
  readonly handedOver: boolean;
  /** What the user should know or do next, one fact each. */
  readonly notes: readonly string[];
}

/**
 * On return the profile's unit is in place, known to the manager and enabled as asked. If the gateway ran before, it runs
 * under the unit.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND; the errors of the preflight; COMMAND_NOT_FOUND for a program that the manager
 * would not find; UNIT_CONFLICT for a second mechanism or a file that is not ours; CONFIRMATION_NEEDED for an edited unit;
 * MANAGER_UNREACHABLE, MANAGER_REFUSED. After an error nothing is installed.
 */
export async function installService(
  context: ProfilesContext,
  name: string,
  options: InstallOptions = {},
): Promise<InstallResult> {
  const manifest = requireFrom(readRegistry(context.home), context.home, name);
  const unit = unitOf(context, manifest, options);
  await refuseRivals(context, manifest, unit);
  const notes = [
    ...(await checkUnderManager(context, manifest, unit)),
    ...endNotes(manifest, unit),
    ...lingerNotes(unit),
  ];
  const present = inspectUnitFile(unit);
  const same = present.is === "same" && JSON.stringify(manifest.service) === JSON.stringify(unit.service);
  const { service, path: file, text } = unit;
  const facts = { profile: manifest.name, unit: service.unit, path: file, text, boot: service.boot, notes };
  if (options.dryRun === true) {
    return { outcome: same ? "already-installed" : "would-install", ...facts, handedOver: false };
  }
  if (same) return { outcome: "already-installed", ...facts, handedOver: false };
  await writeUnitFile(unit, options.overwrite === true);
  try {
    await registerUnit(context, unit);
  } catch (error) {
    if (present.is === "absent") removeUnitFile(file);
    throw error;
  }
  await rememberService(context, manifest.name, service);
  const handedOver = await handOver(context, manifest, options);
  return { outcome: "installed", ...facts, handedOver };
}

/** The result of removing a unit. */
export interface UninstallResult {
  readonly outcome: "uninstalled" | "not-installed";
  readonly profile: string;
  readonly unit: string | null;
}

/**
 * On return no unit of ours starts the profile, and the unit's gateway is stopped.
 *
 * @throws {LockkeeperError} MANAGER_UNREACHABLE, MANAGER_REFUSED; the errors of a stop; UNIT_CONFLICT when the file is not ours or cannot be read.
 */
export async function uninstallService(
  context: ProfilesContext,
  name: string,
  options: UninstallOptions = {},
): Promise<UninstallResult> {
  const manifest = requireFrom(readRegistry(context.home), context.home, name);
  const { service } = manifest;
  if (service === undefined) return { outcome: "not-installed", profile: manifest.name, unit: null };
  const unit = unitOf(context, manifest);
  const present = inspectUnitFile(unit);
  if (present.is === "foreign") {
    throw new LockkeeperError("UNIT_CONFLICT", `${unit.path} is not a unit of Lockkeeper and was left alone`, {
      hint: shellCommand("cat", unit.path),
    });
  }
  if (present.is === "unreadable") throw unreadableUnit(unit.path, present.error);
  if (service.manager === "launchd") await launchctl(["bootout", `gui/${process.getuid?.() ?? 0}/${service.unit}`]);
  else {
    // With the gateway's own deadline: one call of the manager has a far shorter one.
    const now = await askUnit(context, service);
    if (now === "busy" || now === "ending") await stopManaged(context, manifest, options);
    // Only the unit's file may have been removed: the link that enables it can remain. When it does not, systemd reports a
    // failure.
    if (present.is === "absent") await systemctl(service.manager, ["disable", service.unit], context.env);
    else await requireSystemctl(service.manager, ["disable", service.unit], context.env);
  }
  removeUnitFile(unitPath(service, context.env));
  if (service.manager !== "launchd") {
    await requireSystemctl(service.manager, ["daemon-reload"], context.env);
    // Clears a failed state, so that the unit is not listed any more.
    await systemctl(service.manager, ["reset-failed", service.unit], context.env);
  }
  await rememberService(context, manifest.name, undefined);
  return { outcome: "uninstalled", profile: manifest.name, unit: service.unit };
}

async function registerUnit({ env }: ProfilesContext, { service, path: file }: ProfileUnit): Promise<void> {
  if (service.manager === "launchd") {
    await launchctl(["bootstrap", `gui/${process.getuid?.() ?? 0}`, file]);
    return;
  }
  await requireSystemctl(service.manager, ["daemon-reload"], env);
  await requireSystemctl(service.manager, [service.boot === "auto" ? "enable" : "disable", service.unit], env);
}

async function rememberService(
  { home }: ProfilesContext,
  name: string,
  service: InstalledService | undefined,
): Promise<void> {
  await changeRegistry(home, async ({ registry, commit }) => {
    const { service: _, ...manifest } = requireFrom(registry, home, name);
    const others = [...registry.values()].filter((other) => other.name !== manifest.name);
    await commit([...others, service === undefined ? manifest : { ...manifest, service }]);
  });
}

/** Stops a gateway that runs under its own keeper, so that it comes back under the manager. */
async function handOver(context: ProfilesContext, manifest: Manifest, options: InstallOptions): Promise<boolean> {
  const { keeper, gateway } = observeManifest(context, manifest).observed;
  if (keeper === null && gateway === null) return false;
  options.onProgress?.("handing the running gateway over to the service manager");
  await stopProfile(context, manifest.name, options);
  await startManaged(context, requireFrom(readRegistry(context.home), context.home, manifest.name), options);
  return true;
}

/** Refuses while another mechanism starts the profile. */
async function refuseRivals(context: ProfilesContext, manifest: Manifest, unit: ProfileUnit): Promise<void> {
  const [rival] = await findRivals(context, manifest, unit.path);
  if (rival === undefined) return;
  throw new LockkeeperError("UNIT_CONFLICT", `${rival.name} starts ${manifest.name} already`, {
    evidence: rival.evidence,
    hint: `Disable it first: ${rival.disable}`,
  });
}

/** Checks the next start in the environment of the manager; returns what will be missing there. */
async function checkUnderManager(
  context: ProfilesContext,
  manifest: Manifest,
  { service }: ProfileUnit,
): Promise<readonly string[]> {
  if (service.manager === "launchd") return [];
  const given = await managerEnvironment(service.manager, context.env);
  const env = { ...given, HOME: given["HOME"] ?? context.env["HOME"], LOCKKEEPER_HOME: context.home };
  // The manager's variables decide, not those of the installing shell.
  for (const fault of await preflight({ ...context, env }, manifest, { skip: ["program"] })) {
    if (fault.weight === "error") {
      throw new LockkeeperError(
        fault.code,
        `${manifest.name} could not start under ${service.unit}: ${fault.message}`,
        {
          evidence: fault.evidence,
          ...(fault.hint === null ? {} : { hint: fault.hint }),
        },
      );
    }
  }
  requireProgram(context, manifest, env);
  return (manifest.passEnv ?? [])
    .filter((name) => env[name as keyof typeof env] === undefined)
    .map(
      (name) =>
        `${name} is not in the manager's environment, so the gateway will not have it: put it into a file of mode 0600 and run ${shellCommand("lockkeeper", "edit", manifest.name, "--env-file", "<file>")}`,
    );
}

function requireProgram(context: ProfilesContext, manifest: Manifest, env: NodeJS.ProcessEnv): void {
  const { argv, cwd } = launchPlan(manifest, context.programs.gateway);
  const [program, ...rest] = argv;
  const own = manifest.env?.["PATH"];
  try {
    findProgram(program, { cwd, searchPath: own ?? env["PATH"] });
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    const here = locate(program, context.env["PATH"] ?? "");
    const hint =
      here === undefined
        ? `Give its absolute path: ${shellCommand("lockkeeper", "edit", manifest.name, "--help")}`
        : `It is here: ${shellCommand("lockkeeper", "edit", manifest.name, "--", here, ...(manifest.command ?? []).slice(1), ...(manifest.command === undefined ? rest.slice(0, 0) : []))}`;
    throw new LockkeeperError(
      "COMMAND_NOT_FOUND",
      `the service manager would not find the program of ${manifest.name}: ${program}`,
      {
        evidence: [`its PATH: ${own ?? env["PATH"] ?? "(none)"}`],
        hint,
        cause: error,
      },
    );
  }
}

function locate(program: string, searchPath: string): string | undefined {
  if (program.includes("/")) return undefined;
  return searchPath
    .split(":")
    .filter((folder) => path.isAbsolute(folder))
    .map((folder) => path.join(folder, program))
    .find((file) => existsSync(file));
}

/** Processes that a stop without a manager would spare end with the unit. */
function endNotes({ kind, end, name }: Manifest, { service }: ProfileUnit): readonly string[] {
  if ((end ?? kinds[kind].end) !== "group") return [];
  return [
    `everything that ${name} starts ends with ${service.unit}, sessions of their own (tmux, background jobs) included, though --end group spares them without a manager`,
  ];
}

/** A user's own manager ends with the last session, unless the user lingers. */
function lingerNotes({ service }: ProfileUnit): readonly string[] {
  if (service.manager !== "systemd-user" || lingers()) return [];
  const command = shellCommand("loginctl", "enable-linger", userName());
  return [`it ends when you log out, and starts when you log in: to start it with the host, ${command}`];
}

/** Untested, because no macOS host was available. */
async function launchctl(args: readonly string[]): Promise<void> {
  const { execFile } = await import("node:child_process");
  await new Promise<void>((resolve, reject) => {
    execFile("launchctl", [...args], { timeout: 20_000 }, (error, _, stderr) => {
      if (error === null) resolve();
      else {
        reject(
          new LockkeeperError("MANAGER_REFUSED", `launchctl ${args.join(" ")}: ${stderr.trim() || error.message}`, {
            hint: "launchctl print gui/$(id -u) shows what launchd knows.",
          }),
        );
      }
    });
  });
}
