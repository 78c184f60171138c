/**
 * Carries out a plan, except for the restarts, which the caller does. New profiles are created together or not at all, and
 * each edit is whole. After a kill at any point, the same call does the rest.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { isDeepStrictEqual } from "node:util";
import type { ProfilesContext } from "../context.ts";
import { createProfiles } from "../life/create.ts";
import { editProfile } from "../life/edit.ts";
import { changeRegistry } from "../registry/registry-change.ts";
import { readRegistry } from "../registry/registry.ts";
import { requirePreflight } from "../run/preflight.ts";
import { planSet } from "./plan-set.ts";
import type { PreparedPlan, SetPlan } from "./plan-set.ts";
import type { ProfileSet } from "./read-set.ts";

/**
 * On return everything in `agreed` is done except its restarts, and their next start has all that it needs. What somebody else did
 * meanwhile in the same way, such as a second apply of the file, counts as done.
 *
 * @param agreed the plan that a person has seen
 * @throws {LockkeeperError} CONFIRMATION_NEEDED when more has to be done by now than was agreed; the errors of {@link
 * requirePreflight}, before anything is changed; the errors of creating and editing, after the earlier steps are done.
 */
export async function applySet(context: ProfilesContext, set: ProfileSet, agreed: SetPlan): Promise<void> {
  const { home } = context;
  const { plan, edits } = await createMissing(context, set, agreed);
  for (const { name, options } of edits) {
    if (readRegistry(home).get(name)?.protected === true) {
      throw new LockkeeperError("CONFIRMATION_NEEDED", `${name} was protected meanwhile: it is left as it is`, {
        hint: "Look again: lockkeeper plan",
      });
    }
    await editProfile(context, name, options);
  }
  if (plan.claims.length === 0) return;
  await changeRegistry(home, ({ registry, commit }) =>
    commit(
      [...registry.values()].map((manifest) =>
        plan.claims.includes(manifest.name) && !manifest.protected
          ? { ...manifest, set: { file: set.file, prefix: set.prefix } }
          : manifest,
      ),
    ),
  );
}

/** Creates what is missing and returns the plan that was made right before. */
async function createMissing(context: ProfilesContext, set: ProfileSet, agreed: SetPlan): Promise<PreparedPlan> {
  let missing = Infinity;
  for (;;) {
    const prepared = await planSet(context, set);
    const { plan, creates, restarts } = prepared;
    if (!plan.changes.every((change) => agreed.changes.some((known) => isDeepStrictEqual(change, known)))) {
      throw new LockkeeperError("CONFIRMATION_NEEDED", "something was changed meanwhile: nothing was done", {
        hint: "Look again: lockkeeper plan",
      });
    }
    for (const after of restarts) await requirePreflight(context, after, "nothing was changed");
    if (creates.length === 0) return prepared;
    try {
      await createProfiles(
        context.home,
        creates.map(({ options }) => options),
      );
      return prepared;
    } catch (error) {
      // Another apply was faster: look again. Each round has less to create, so the rounds end.
      const isExisting = error instanceof LockkeeperError && error.code === "PROFILE_EXISTS";
      if (!isExisting || creates.length >= missing) throw error;
      missing = creates.length;
    }
  }
}
