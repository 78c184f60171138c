/** The manifest of a gateway of another program that is adopted in place. Writes nothing. */
import type { AdoptedParts, Installation } from "../foreign-program.ts";
import { lastDerived } from "../gateway-kind.ts";
import type { GatewayKind } from "../gateway-kind.ts";
import { formatHealthCheck } from "../kinds/health-check.ts";
import type { Manifest } from "../manifest.ts";
import { HIGHEST_PORT } from "../port-number.ts";
import type { ProfileName } from "../profile-name.ts";
import { profilePaths } from "../profile-paths.ts";

/** The facts from which the manifest of an adopted gateway is made. */
export interface AdoptionFacts {
  readonly home: string;
  readonly kind: GatewayKind;
  readonly name: ProfileName;
  readonly installation: Installation;
  readonly parts: AdoptedParts;
  /** Its real path. */
  readonly stateDir: string;
  readonly port: number;
  /** What the caller asked for on top. */
  readonly asked: Pick<Manifest, "protected"> & Partial<Pick<Manifest, "env" | "passEnv" | "envFile" | "command">>;
}

/** Returns the manifest. */
export function adoptedManifest(facts: AdoptionFacts): Manifest {
  const { home, kind, name, installation, parts, stateDir, port, asked } = facts;
  const last = lastDerived(kind);
  const derived = kind.derived.map((range) => [range.name, port + range.first] as const);
  const command = asked.command ?? parts.command;
  const env = { ...parts.env, ...asked.env };
  return {
    schemaVersion: 1,
    name,
    kind: kind.name,
    host: installation.host,
    port,
    // The block covers exactly the derived ports, not the round number that `create` uses, so that close neighbours still fit.
    span: Math.min(last + 1, HIGHEST_PORT - port + 1),
    ports: { gateway: port, ...Object.fromEntries(derived) },
    ...(command === undefined ? {} : { command }),
    cwd: parts.cwd,
    ...(Object.keys(env).length === 0 ? {} : { env }),
    ...(asked.passEnv === undefined || asked.passEnv.length === 0 ? {} : { passEnv: asked.passEnv }),
    ...(asked.envFile === undefined ? {} : { envFile: asked.envFile }),
    health: formatHealthCheck(kind.health),
    protected: asked.protected,
    createdAt: new Date().toISOString(),
    paths: {
      ...profilePaths(home, name),
      state: stateDir,
      config: installation.configPath,
      workspace: parts.workspace,
    },
  };
}
