/**
 * Every profile with its state. One read of the registry, one of the run directory; a process is checked only where a record
 * says that it should live, and the remains of a killed run are swept in passing.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { warn } from "@lockkeeper/core/internal";
import type { ProfilesContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { foresee, observeAll } from "./observe-all.ts";
import type { ProfileObservation } from "./observe-profile.ts";
import { isServing } from "./observed-state.ts";
import { askedProfiles } from "./known-profiles.ts";
import type { KnownOptions } from "./known-profiles.ts";
import { describeProfile } from "./profile-status.ts";
import type { ProfileStatus } from "./profile-status.ts";
import { readSelection } from "../selection/selection.ts";

/** Options of `list`. */
export interface ListOptions extends KnownOptions {
  /** Ask each living gateway for its health now, instead of using its keeper's last answer. @default true */
  readonly probe?: boolean;
  /** Look up how much memory each gateway uses. @default false */
  readonly usage?: boolean;
  /** The names are for a verb that acts: a registry that others can write is refused, not shown. @default false */
  readonly toAct?: boolean;
}

/** Health probes under way at once; more would only queue in our own event loop. */
const PROBES_AT_ONCE = 32;

/** Returns the status of every profile, sorted by name, numbers in it by their value. */
export async function listProfiles(
  context: ProfilesContext,
  options: ListOptions = {},
): Promise<readonly ProfileStatus[]> {
  const statuses = await lookAtAll(context, options);
  if (options.usage !== true || statuses.every(({ pid }) => pid === null)) return statuses;
  return (await import("./memory-usage.ts")).withUsage(statuses);
}

/** The contexts whose damaged settings were reported. A watch reads them again and again, and reports them once. */
const told = new WeakSet<ProfilesContext>();

/** Returns the default that is shown. Damaged settings hide it, with a warning, but no state of a profile. */
function selectionShown(context: ProfilesContext): string | null {
  try {
    return readSelection(context).name;
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    if (!told.has(context)) warn(`${error.message}: no default is shown`, error.code);
    told.add(context);
    return null;
  }
}

async function lookAtAll(context: ProfilesContext, options: ListOptions): Promise<readonly ProfileStatus[]> {
  foresee(context.home);
  const manifests = [...(await askedProfiles(context, options)).values()];
  const current = selectionShown(context);
  const now = Date.now();
  const statuses: ProfileStatus[] = [];
  const leftovers: Manifest[] = [];
  const serving: { readonly index: number; readonly observation: ProfileObservation }[] = [];
  for (const observation of await observeAll(context, manifests)) {
    const { manifest, observed, record } = observation;
    if (observed.leftover) leftovers.push(manifest);
    if (isServing(observed)) serving.push({ index: statuses.length, observation });
    statuses.push(describeProfile(manifest, observed, record, current, now));
  }
  // In another user's home nothing is swept, and no address from it is contacted.
  const isOurs = context.owner !== "any";
  if (leftovers.length > 0 && isOurs) {
    const { sweepLeftover } = await import("./leftover.ts");
    for (const manifest of leftovers) await sweepLeftover(context.home, manifest);
  }
  if (serving.length > 0 && options.probe !== false && isOurs) {
    const { askHealth } = await import("./ask-health.ts");
    const queue = serving.values();
    const worker = async (): Promise<void> => {
      for (const { index, observation } of queue) {
        const status = statuses[index];
        if (status !== undefined)
          statuses[index] = { ...status, health: await askHealth(context, observation, status) };
      }
    };
    await Promise.all(Array.from({ length: Math.min(PROBES_AT_ONCE, serving.length) }, worker));
  }
  if (options.probe !== false && manifests.some(({ lease }) => lease !== undefined)) {
    const { withLiveLease } = await import("./lease-status.ts");
    return Promise.all(statuses.map((status, index) => withLiveLease(context, status, manifests[index] ?? {})));
  }
  return statuses;
}
