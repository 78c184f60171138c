/**
 * The config of a clone: the original's, with paths, port and token of its own and without secrets. A config that cannot
 * be understood may hold secrets and stays behind. Pure but for the parser that it loads.
 */
import { isRecord } from "../json.ts";
import type { Manifest } from "../manifest.ts";
import { withoutSecrets } from "../secrets.ts";
import type { LeftBehind } from "./left-behind.ts";
import { moveFolderInText } from "../registry/follow-rename.ts";

/** A config to be written for the clone, and what is not in it. */
export interface ClonedConfig {
  /** Null when there is nothing to write. */
  readonly document: unknown;
  readonly left: readonly LeftBehind[];
}

/** Returns what becomes of `text`, the original's config. `keepSecrets`: they were asked for by name. */
export async function cloneConfig(
  text: string,
  original: Manifest,
  clone: Manifest,
  keepSecrets: boolean,
): Promise<ClonedConfig> {
  const { default: json5 } = await import("json5");
  let document: unknown;
  try {
    document = json5.parse(moveFolderInText(text, original.paths.profile, clone.paths.profile));
  } catch {
    return {
      document: null,
      left: [{ kind: "credentials", what: "config (it cannot be understood, so it may hold secrets)" }],
    };
  }
  if (keepSecrets) return { document, left: [] };
  const { clean, dropped } = withoutSecrets(document);
  return { document: clean, left: dropped.map((what) => ({ kind: "credentials", what: `config: ${what}` })) };
}

/** Returns an OpenClaw config that is the clone's own: port, token and workspace as for a fresh one, the rest kept. */
export function ownOpenClawConfig(document: unknown, { port, paths }: Manifest, token: string): unknown {
  const config = recordOf(document);
  const gateway = recordOf(config["gateway"]);
  const agents = recordOf(config["agents"]);
  return {
    ...config,
    gateway: { mode: "local", bind: "loopback", ...gateway, port, auth: { mode: "token", token } },
    agents: { ...agents, defaults: { ...recordOf(agents["defaults"]), workspace: paths.workspace } },
  };
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
