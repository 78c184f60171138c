/** The processes that an end of a profile's run spares: by the profile's `end`, else by its kind. */
import { findRunProcesses, tellApart } from "@lockkeeper/core/internal";
import type { RunRecord } from "@lockkeeper/core";
import type { SparedProcess, Sparing } from "@lockkeeper/core/internal";
import type { ProfilesContext } from "../context.ts";
import { kinds } from "../kinds/kinds.ts";
import type { EndScope, Manifest } from "../manifest.ts";

/**
 * Returns which processes an end of a run covers. With a lease it covers all, because a spared process would go on beside the
 * next owner.
 */
export function endScopeOf({ end, kind, lease }: Manifest): EndScope {
  return lease === undefined ? (end ?? kinds[kind].end) : "all";
}

/** Returns how to recognise spared processes; undefined when all are ended. */
export function sparingOf(manifest: Manifest, { gateway, port }: RunRecord): Sparing | undefined {
  if (endScopeOf(manifest) === "all") return undefined;
  return {
    lockDir: manifest.paths.lock,
    sessions: gateway === null ? [] : [gateway.pid],
    block: { first: port, last: port + manifest.span - 1 },
  };
}

/** Returns the processes that an end of the run would spare now. Changes nothing. */
export function findSpared({ home }: ProfilesContext, manifest: Manifest, record: RunRecord): readonly SparedProcess[] {
  const sparing = sparingOf(manifest, record);
  if (sparing === undefined) return [];
  const { gateway: leader, nonce } = record;
  return tellApart(findRunProcesses({ leader, nonce, profile: manifest.name, home }), sparing).spared;
}
