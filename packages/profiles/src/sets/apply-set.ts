/**
 * Carries a plan out, up to the restarts, which are for whoever starts and stops. New profiles come into being together or not
 * at all; each edit is whole. Killed anywhere, the same call does what is missing.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { isDeepStrictEqual } from "node:util";
import type { ProfilesContext } from "../context.ts";
import { createProfiles } from "../life/create.ts";
import { editProfile } from "../life/edit.ts";
import { changeRegistry } from "../registry/registry-change.ts";
import { readProtection } from "../registry/registry.ts";
import { requirePreflight } from "../run/preflight.ts";
import { planSet } from "./plan-set.ts";
import type { SetPlan } from "./plan-set.ts";
import type { ProfileSet } from "./read-set.ts";

/**
 * On return everything of `agreed` is done but its restarts, whose next start has what it needs.
 *
 * @param agreed the plan that a person has seen
 * @throws {LockkeeperError} CONFIRMATION_NEEDED when by now something else would be done; what {@link requirePreflight} throws,
 *   before anything is changed; what creating and editing throw, and then what came before it is done.
 */
export async function applySet(context: ProfilesContext, set: ProfileSet, agreed: SetPlan): Promise<void> {
  const { home } = context;
  const { plan, creates, edits, restarts } = await planSet(context, set);
  if (!isDeepStrictEqual(plan.changes, agreed.changes)) {
    throw new LockkeeperError("CONFIRMATION_NEEDED", "something was changed meanwhile: nothing was done", {
      hint: "Look again: lockkeeper plan",
    });
  }
  for (const after of restarts) await requirePreflight(context, after, "nothing was changed");
  if (creates.length > 0) {
    await createProfiles(
      home,
      creates.map(({ options }) => options),
    );
  }
  for (const { name, options } of edits) {
    if (readProtection(home, name) !== "open") {
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
