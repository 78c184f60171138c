/** The verbs that only show, except for the everyday ones. Each loads its room when it is called. */
import type { LookingVerbs, OpenedHome } from "./verbs.ts";

/** Returns these verbs for one opened home. */
export function lookingVerbs({ context, look }: OpenedHome): LookingVerbs {
  const { home, env } = context;
  return {
    wait: async (names, request) => (await import("./status/wait.ts")).waitForProfiles(look, names, request),
    status: async (name) => (await import("./status/profile-detail.ts")).profileDetail(look, name),
    log: async (name, selection) => (await import("./status/output.ts")).profileLog(look, name, selection),
    followLog: async function* (name, request) {
      yield* (await import("./status/output.ts")).followProfileLog(look, name, request);
    },
    history: async (name) => (await import("./status/output.ts")).profileHistory(look, name),
    watch: async function* (request) {
      yield* (await import("./status/watch.ts")).watchProfiles(look, request);
    },
    shownOutput: async (name, lines) => {
      const [{ knownProfile }, { shownOutput }] = await Promise.all([
        import("./status/known-profiles.ts"),
        import("./run-secrets.ts"),
      ]);
      const { manifest, isByRun } = await knownProfile(look, name);
      // Which secrets may be in it is not known without its settings.
      return isByRun ? [] : shownOutput(lines, manifest, env);
    },
    limitNotes: async (name) => {
      const { requireManifest } = await import("./registry/registry.ts");
      return (await import("./status/limits.ts")).limitNotes(requireManifest(home, name, look.owner));
    },
    ports: async () => (await import("./ports/port-audit.ts")).portsReport(home, look.owner),
    explainPort: async (port) => (await import("./ports/port-explanation.ts")).explainPort(home, port, look.owner),
    nextFreeBlock: async (span) => (await import("./ports/port-choice.ts")).nextBlockOf(home, span),
    diagnose: async () => (await import("./doctor/diagnose.ts")).diagnose(context),
    repair: async (findings) => (await import("./doctor/diagnose.ts")).repair(context, findings),
    discover: async (request) => (await import("./discover/discover.ts")).discoverGateways(context, request),
    exportToEngine: async (names, request) =>
      (await import("./export/export.ts")).exportProfiles(context, names, request),
    exportSet: async (names) => (await import("./sets/sets.ts")).exportSet(context, names),
    trash: async () => (await import("./life/trash.ts")).listTrash(home),
    readConfig: async (request) => (await import("./config/config-edit.ts")).readConfig(context, request),
  };
}
