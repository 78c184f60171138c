/**
 * Changes the settings of a profile, all except its name and kind, completely or not at all. A running gateway keeps its old
 * settings; the change takes effect at the next start.
 */
import { warn } from "@lockkeeper/core/internal";
import type { ProfilesContext } from "../context.ts";
import { kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";
import { changeRegistry } from "../registry/registry-change.ts";
import { readRegistry, requireFrom } from "../registry/registry.ts";
import type { Registry } from "../registry/registry.ts";
import { observeManifest } from "../status/observe-profile.ts";
import { actsOnARun } from "../status/pending-change.ts";
import { chooseBlock, readPortSituation, withoutAdopted } from "../ports/port-choice.ts";
import type { PortSituation } from "../ports/port-choice.ts";
import { readEnvFile } from "../env-file.ts";
import { launchPlan } from "../run/launch-plan.ts";
import { applyEdit } from "./edited-manifest.ts";
import type { EditOptions } from "./edited-manifest.ts";
import { manifestChanges } from "./manifest-changes.ts";
import type { FieldChange } from "./manifest-changes.ts";
import { refuseUnknownPlaceholders } from "./profile-options.ts";
import { running, whileStopped } from "./while-stopped.ts";
import { warnOfWideBind } from "../wide-bind.ts";

/** The result of an edit. */
export interface EditResult {
  readonly profile: string;
  /** Empty: there was nothing to change, and nothing was written. */
  readonly changes: readonly FieldChange[];
  /** True: nothing was written, as requested. */
  readonly dryRun: boolean;
  /** A running gateway keeps the old settings until its next start. */
  readonly pending: boolean;
}

/** The lock and other promises depend on these fields, so they change only while nothing runs. */
const NEED_STOPPED: ReadonlySet<string> = new Set(["port", "host", "span", "lease"]);

/**
 * Changes the profile. The registry always holds either the old manifest or the new one, even if we are killed.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID; OPTION_INVALID, PORT_INVALID, USAGE for a wrong request;
 * UNSAFE_PATH for an env file that others can touch; PROFILE_RUNNING when a field needs a stopped profile; PORTS_OVERLAP,
 * PORTS_EXHAUSTED, PERMISSION_DENIED for its ports; the errors of a change of the registry. After an error nothing has
 * changed.
 * @throws {GatewayLockError} PORT_IN_USE, BIND_FAILED for its ports.
 */
export async function editProfile(context: ProfilesContext, name: string, options: EditOptions): Promise<EditResult> {
  const { home } = context;
  const registry = readRegistry(home);
  const planned = applyEdit(requireFrom(registry, home, name), options);
  if (options.envFile !== undefined && planned.envFile !== undefined) await readEnvFile(planned.envFile);
  const moves = movesBlock(requireFrom(registry, home, name), planned);
  // Read before the mutex is taken, so that others wait less.
  const situation = moves ? await readPortSituation(home, registry) : undefined;
  if (options.dryRun === true) return judge(context, registry, name, options, situation);
  return changeRegistry(home, async ({ registry: present, commit }) => {
    const result = await judge(context, present, name, options, situation);
    const before = requireFrom(present, home, name);
    const after = applyEdit(before, options);
    const others = [...present.values()].filter((other) => other.name !== before.name);
    if (result.changes.length === 0) return result;
    const write = (): Promise<void> => commit([...others, after]);
    await (needsStop(result.changes) ? whileStopped(home, before, write) : write());
    if (result.changes.some(({ field }) => field === "host")) {
      warnOfWideBind(after);
      warnOfOwnBind(after);
    }
    return result;
  });
}

/** A program with its own config listens where that config says; we do not rewrite the owner's config. */
function warnOfOwnBind({ name, kind, host, paths }: Manifest): void {
  const { hostSetting } = kinds[kind];
  if (hostSetting === undefined) return;
  warn(
    `${name} listens where its own config says: for ${host}, ${hostSetting} in ${paths.config} has to say so too`,
    "OWN_BIND",
  );
}

/** Returns the changes of the edit; throws when it is not possible. Writes nothing. */
async function judge(
  context: ProfilesContext,
  registry: Registry,
  name: string,
  options: EditOptions,
  situation: PortSituation | undefined,
): Promise<EditResult> {
  const before = requireFrom(registry, context.home, name);
  const after = applyEdit(before, options);
  const changes = manifestChanges(before, after);
  // Refuse now what a start would refuse.
  launchPlan(after, "");
  // Present ports are checked again only when the block gets shorter.
  refuseUnknownPlaceholders(after, after.span < before.span ? (after.env ?? {}) : (options.env ?? {}));
  const observation = observeManifest(context, before);
  if (needsStop(changes)) {
    const { keeper, gateway } = observation.observed;
    if (keeper !== null || gateway !== null) throw running(before.name, gateway?.pid ?? keeper?.pid);
  }
  if (movesBlock(before, after)) {
    const others = new Map([...registry].filter(([other]) => other !== before.name));
    const seen = situation ?? (await readPortSituation(context.home, registry));
    await chooseBlock(context.home, others, after, withoutAdopted(seen, before));
  }
  const { keeper, gateway } = observation.observed;
  const lives = keeper !== null || gateway !== null;
  return {
    profile: before.name,
    changes,
    dryRun: options.dryRun ?? false,
    pending: lives && changes.some(({ field }) => actsOnARun(topOf(field))),
  };
}

function movesBlock(before: Manifest, after: Manifest): boolean {
  return before.port !== after.port || before.span !== after.span || before.host !== after.host;
}

function needsStop(changes: readonly FieldChange[]): boolean {
  return changes.some(({ field }) => NEED_STOPPED.has(field));
}

function topOf(field: string): string {
  return field.split(".")[0] ?? field;
}
