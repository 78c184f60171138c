/** The verbs that act or hand out something, and those that prepare an act. Each loads its room when it is called. */
import { faultOf } from "@lockkeeper/core/internal";
import type { ProfilesContext } from "./context.ts";
import type { Manifest } from "./manifest.ts";
import type { ActingVerbs, OpenedHome } from "./verbs.ts";

/** Returns these verbs for one opened home. */
export function actingVerbs({ context }: OpenedHome): ActingVerbs {
  const { home } = context;
  const start: ActingVerbs["start"] = async (name, request) => {
    const manifest = await installedManifest(context, name);
    if (manifest !== undefined)
      return (await import("./service/managed-run.ts")).startManaged(context, manifest, request);
    return (await import("./run/start.ts")).startProfile(context, name, request);
  };
  const stop: ActingVerbs["stop"] = async (name, request) => {
    const manifest = await installedForStop(context, name);
    if (manifest !== undefined)
      return (await import("./service/managed-run.ts")).stopManaged(context, manifest, request);
    return (await import("./run/stop.ts")).stopProfile(context, name, request);
  };
  return {
    token: async (name) => (await import("./access/profile-access.ts")).readToken(context, name),
    access: async (name) => (await import("./access/profile-access.ts")).profileAccess(context, name),
    writeHandoverPage: async (target) => (await import("./access/handover-page.ts")).writeHandoverPage(home, target),
    removeHandoverPage: async (file) => (await import("./access/handover-page.ts")).removeHandoverPage(file),
    clientArgv: async (name, argv) => {
      const { requireManifest } = await import("./registry/registry.ts");
      return (await import("./environment/client-argv.ts")).clientArgv(requireManifest(home, name), argv);
    },
    create: async (request) => {
      const { createProfile } = await import("./life/create.ts");
      const { statusAfterChange } = await import("./status/observe-all.ts");
      return statusAfterChange(context, await createProfile(home, request));
    },
    edit: async (name, request) => (await import("./life/edit.ts")).editProfile(context, name, request),
    order: async (verb, names) => (await import("./registry/read-order.ts")).readOrder(context, verb, names),
    start,
    stop,
    restart: async (name, request) => {
      const manifest = await installedManifest(context, name);
      if (manifest === undefined) return (await import("./run/restart.ts")).restartProfile(context, name, request);
      return (await import("./service/managed-run.ts")).restartManaged(context, manifest, request);
    },
    installService: async (name, request) =>
      (await import("./service/install.ts")).installService(context, name, request),
    uninstallService: async (name, request) =>
      (await import("./service/install.ts")).uninstallService(context, name, request),
    serviceStatuses: async (names) => (await import("./service/service-status.ts")).serviceStatuses(context, names),
    launchPlan: async (name) => {
      const { requireManifest } = await import("./registry/registry.ts");
      return (await import("./run/launch-plan.ts")).launchPlan(requireManifest(home, name), context.programs.gateway);
    },
    preflight: async (name, request) => {
      const { requireManifest } = await import("./registry/registry.ts");
      return (await import("./run/preflight.ts")).preflight(context, requireManifest(home, name), request);
    },
    testHooks: async (name, request) => (await import("./run/test-hooks.ts")).testHooks(context, name, request?.signal),
    run: async (name, request) => (await import("./run/run.ts")).runProfile(context, name, request),
    reservePorts: async (range, note) => {
      const { parsePortRange } = await import("./ports/reservations.ts");
      return (await import("./ports/reserve.ts")).reservePorts(home, parsePortRange(range), note);
    },
    releasePorts: async (range) => {
      const { parsePortRange } = await import("./ports/reservations.ts");
      return (await import("./ports/reserve.ts")).releasePorts(home, parsePortRange(range));
    },
    remove: async (name) => {
      const manifest = await installedManifest(context, name);
      if (manifest === undefined) return (await import("./life/remove.ts")).removeProfile(context, name);
      return (await import("./service/change-installed.ts")).removeInstalled(context, manifest);
    },
    environment: async (name) => {
      const { requireManifest } = await import("./registry/registry.ts");
      const manifest = requireManifest(home, name);
      // The file that the environment names holds the present value.
      if (manifest.kind !== "builtin" && manifest.kind !== "command") {
        await (await import("./access/profile-access.ts")).refreshTokenFile(context, manifest);
      }
      return (await import("./environment/shell-environment.ts")).shellEnvironment(context, name);
    },
    gatewayEnvironment: async (name) =>
      (await import("./environment/gateway-environment.ts")).presentGatewayEnvironment(context, name),
    use: async (name) => (await import("./selection/selection.ts")).useProfile(context, name),
    importGateways: async (kind, request) => (await import("./adopt/import.ts")).importGateways(context, kind, request),
    takeOver: async (name, request) => (await import("./adopt/takeover.ts")).takeOver(context, name, request),
    planSet: async (request) => (await import("./sets/sets.ts")).planSetFile(context, request),
    applySet: async (request, agreed) => (await import("./sets/sets.ts")).applySetFile(context, request, agreed),
    appliedSet: async (request) => (await import("./sets/sets.ts")).appliedNames(context, request),
    rename: async (from, to) => {
      const manifest = await installedManifest(context, from);
      if (manifest === undefined) return (await import("./life/rename.ts")).renameProfile(context, from, to);
      return (await import("./service/change-installed.ts")).renameInstalled(context, manifest, to);
    },
    clone: async (from, to, request) =>
      (await import("./life/clone.ts")).cloneProfile(context, from, to, request, { stop, start }),
    restore: async (name, request) => (await import("./life/restore.ts")).restoreProfile(context, name, request),
    emptyTrash: async (names) => (await import("./life/trash.ts")).emptyTrash(home, names),
    changeConfig: async (request) => (await import("./config/config-edit.ts")).changeConfig(context, request),
  };
}

/** The manifest of a profile under a service manager; undefined for any other. A registry that cannot be read is reported by the verb. */
async function installedManifest(context: ProfilesContext, name: string): Promise<Manifest | undefined> {
  const { readRegistry } = await import("./registry/registry.ts");
  if (faultOf(() => readRegistry(context.home, context.owner)) !== undefined) return undefined;
  return installedForStop(context, name);
}

/** The same; of a registry that cannot be read its last good copy counts, so that a stop goes to the manager. */
async function installedForStop({ home, owner }: ProfilesContext, name: string): Promise<Manifest | undefined> {
  const manifest = (await import("./registry/registry.ts")).readUsable(home, owner)?.get(name);
  return manifest?.service === undefined ? undefined : manifest;
}
