/** The verbs that everyday commands call. The facade loads this file at once, and the other verbs when one of them is called. */
import type { ListOptions } from "./status/list.ts";
import type { ArgumentsByVerb, EverydayVerbs, Known, OpenedHome } from "./verbs.ts";

/** The arguments of these verbs, and of opening a home. */
export const EVERYDAY_ARGUMENTS: ArgumentsByVerb = {
  openProfiles: [[], () => ({ home: "text", env: "object", programs: "object" })],
  list: [[], (): Known<ListOptions> => ({ probe: "flag", usage: "flag", toAct: "flag", known: "flag" })],
  find: [["name"]],
  match: [["words"], () => ({ toAct: "flag", known: "flag" })],
  protection: [["name"]],
  selection: [[], () => ({ profile: "text" })],
};

/** Returns these verbs for one opened home. */
export function everydayVerbs({ context, look }: OpenedHome): EverydayVerbs {
  const { home, owner } = context;
  return {
    selection: async (request) => (await import("./selection/selection.ts")).readSelection(context, request),
    protection: async (name) => (await import("./status/known-profiles.ts")).readProtection({ home, owner }, name),
    list: async (request) =>
      (await import("./status/list.ts")).listProfiles(request?.toAct === true ? context : look, request),
    find: async (name) => {
      const [{ requireManifest }, { observeOne }, { describeProfile }, { readableSelection }] = await Promise.all([
        import("./registry/registry.ts"),
        import("./status/observe-all.ts"),
        import("./status/profile-status.ts"),
        import("./selection/selection.ts"),
      ]);
      const { manifest, observed, record } = await observeOne(look, requireManifest(home, name, look.owner));
      return describeProfile(manifest, observed, record, readableSelection(look), Date.now());
    },
    match: async (words, request) => {
      const [{ matchNames }, { askedProfiles }] = await Promise.all([
        import("./registry/match-names.ts"),
        import("./status/known-profiles.ts"),
      ]);
      return matchNames(await askedProfiles(request?.toAct === true ? context : look, request), words);
    },
  };
}
