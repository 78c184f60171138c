/** The manifest of an OpenClaw gateway that is adopted in place. Reads at most whether a workspace exists. */
import { existsSync } from "node:fs";
import path from "node:path";
import type { HostRoots } from "../service-units/host-roots.ts";
import { instanceHost, type OpenClawInstance } from "../discover/openclaw-instances.ts";
import { openclaw } from "../kinds/openclaw.ts";
import { formatHealthCheck } from "../kinds/health-check.ts";
import type { Manifest } from "../manifest.ts";
import { highestPort } from "../port-number.ts";
import { parseProfileName, type ProfileName } from "../profile-name.ts";
import { profilePaths } from "../profile-paths.ts";

/** What a manifest of an adopted gateway is made from. */
export interface AdoptionFacts {
  readonly home: string;
  readonly name: ProfileName;
  readonly instance: OpenClawInstance;
  /** Its real path. */
  readonly stateDir: string;
  readonly port: number;
  readonly roots: HostRoots;
  readonly protected: boolean;
}

/**
 * Returns the name here for what OpenClaw calls `name`; `default` means something else here.
 *
 * @throws {LockkeeperError} PROFILE_NAME_INVALID when it is none even in lower case with hyphens.
 */
export function nameFor(name: string): ProfileName {
  return parseProfileName(name === "default" ? "openclaw" : name.toLowerCase().replaceAll("_", "-"));
}

/** Returns the manifest; nothing is written. */
export function adoptedManifest({ home, name, instance, stateDir, port, roots, ...rest }: AdoptionFacts): Manifest {
  const last = Math.max(...openclaw.derived.map((range) => range.last));
  const command = commandOf(instance);
  const derived = openclaw.derived.map((range) => [range.name, port + range.first] as const);
  return {
    schemaVersion: 1,
    name,
    kind: "openclaw",
    host: instanceHost(instance),
    port,
    // Not the round number of a block that we chose: exactly what it derives, so that neighbours close by still fit.
    span: Math.min(last + 1, highestPort - port + 1),
    ports: { gateway: port, ...Object.fromEntries(derived) },
    ...(command === undefined ? {} : { command }),
    // Where it has always run: relative paths in its config mean this.
    cwd: instance.units.find((unit) => unit.workingDirectory !== null)?.workingDirectory ?? roots.userHome,
    // OpenClaw puts some of its paths under the profile's name, so it keeps the one that it had.
    ...(instance.name === "default" ? {} : { env: { OPENCLAW_PROFILE: instance.name } }),
    health: formatHealthCheck(openclaw.health),
    protected: rest.protected,
    createdAt: new Date().toISOString(),
    paths: {
      ...profilePaths(home, name),
      state: stateDir,
      config: instance.configPath,
      workspace: workspaceOf(instance, stateDir, roots),
    },
  };
}

/** The program of its unit with what comes before `gateway`; undefined for `openclaw` from the PATH. */
function commandOf({ units }: OpenClawInstance): readonly string[] | undefined {
  for (const { argv } of units) {
    const verb = argv.indexOf("gateway");
    const program = verb < 1 ? [] : withoutProfile(argv.slice(0, verb));
    if (program.length > 0) return program;
  }
  return undefined;
}

/** The profile is told by variables, together with everything else. */
function withoutProfile(argv: readonly string[]): readonly string[] {
  const flag = argv.indexOf("--profile");
  return flag < 0 ? argv : argv.toSpliced(flag, 2);
}

/**
 * Source: https://docs.openclaw.ai/concepts/agent-workspace: the config, else OPENCLAW_WORKSPACE_DIR, else `workspace` in
 * the state directory; earlier versions used `~/.openclaw/workspace-<profile>`, which counts where it exists.
 */
function workspaceOf({ config, units, name }: OpenClawInstance, stateDir: string, { userHome }: HostRoots): string {
  const configured =
    config.workspace ?? units.map(({ environment }) => environment["OPENCLAW_WORKSPACE_DIR"]).find(Boolean);
  if (configured !== undefined && configured !== null) {
    return path.resolve(userHome, configured.replace(/^~(?=\/|$)/, userHome));
  }
  const earlier = path.join(userHome, ".openclaw", `workspace-${name}`);
  return name !== "default" && existsSync(earlier) ? earlier : path.join(stateDir, "workspace");
}
