/**
 * Makes the config of a clone: the original's config with its parts put together, with its own port, token and folders, and
 * without secrets. OpenClaw writes absolute paths into its config; none of them may lead back into the original.
 */
import { LockkeeperError } from "@lockkeeper/core";
import path from "node:path";
import type { OwnConfig } from "../foreign-program.ts";
import { isRecord } from "../json.ts";
import type { Manifest } from "../manifest.ts";
import { ownHome } from "../own-home.ts";
import { withoutSecrets } from "../secrets.ts";
import { profileOfFolder } from "./folders.ts";
import { readConfigFile } from "./config-file.ts";

/**
 * Returns the text of the clone's config.
 *
 * @throws {LockkeeperError} DIRECTORY_SHARED naming every setting that leads into the original and has no counterpart in the
 * clone.
 */
export async function ownConfig(
  original: Manifest,
  clone: Manifest,
  token: string,
  keepSecrets: boolean,
): Promise<OwnConfig> {
  const { document, verdict } = await readConfigFile(original.paths.config);
  const { clean, dropped } = keepSecrets ? { clean: document, dropped: [] } : withoutSecrets(document);
  const userHome = homeOf(original);
  const mapped = mapPaths(clean, pathMap(original, clone), userHome);
  const own = withOwnParts(mapped, clone, token);
  refusePathsInto(own, original, userHome);
  // A config that cannot be parsed may hold secrets and is not copied at all.
  const whole = verdict === "damaged" ? ["(it cannot be understood, so it may hold secrets)"] : [];
  return { text: `${JSON.stringify(own, null, 2)}\n`, dropped: [...whole, ...dropped] };
}

/**
 * What `~` means to the original: the home that it was adopted with, or else the folder around a state directory in its usual
 * place.
 */
function homeOf({ env, paths }: Manifest): string {
  const usual = profileOfFolder(path.basename(paths.state)) === undefined ? ownHome() : path.dirname(paths.state);
  return env?.["OPENCLAW_HOME"] ?? usual;
}

/** From the original's folders to the clone's, the deepest first. */
function pathMap(original: Manifest, clone: Manifest): readonly (readonly [string, string])[] {
  const rooms = ["workspace", "state", "profile"] as const;
  return rooms
    .map((room) => [original.paths[room], clone.paths[room]] as const)
    .sort(([a], [b]) => b.length - a.length);
}

function mapPaths(value: unknown, map: readonly (readonly [string, string])[], userHome: string): unknown {
  if (Array.isArray(value)) return value.map((item) => mapPaths(item, map, userHome));
  if (isRecord(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapPaths(inner, map, userHome)]));
  }
  if (typeof value !== "string") return value;
  const absolute = value.startsWith("~/") ? path.join(userHome, value.slice(2)) : value;
  const found = map.find(([from]) => absolute === from || absolute.startsWith(from + path.sep));
  return found === undefined ? value : found[1] + absolute.slice(found[0].length);
}

function withOwnParts(document: unknown, { port, paths }: Manifest, token: string): unknown {
  const config = isRecord(document) ? document : {};
  const gateway = isRecord(config["gateway"]) ? config["gateway"] : {};
  const agents = isRecord(config["agents"]) ? config["agents"] : {};
  const defaults = isRecord(agents["defaults"]) ? agents["defaults"] : {};
  return {
    ...config,
    gateway: { mode: "local", bind: "loopback", ...gateway, port, auth: { mode: "token", token } },
    agents: { ...agents, defaults: { ...defaults, workspace: paths.workspace } },
  };
}

function refusePathsInto(document: unknown, { name, paths }: Manifest, userHome: string): void {
  const whole = [paths.state, paths.workspace, paths.profile];
  const short = whole
    .filter((folder) => folder.startsWith(`${userHome}/`))
    .map((folder) => `~${folder.slice(userHome.length)}`);
  const folders = [...whole, ...short];
  const places = [...textsIn(document, "")].filter(([, text]) =>
    folders.some((folder) => text.includes(`${folder}${path.sep}`) || text.endsWith(folder)),
  );
  if (places.length === 0) return;
  throw new LockkeeperError(
    "DIRECTORY_SHARED",
    `the config of ${name} leads into its own folders in a way that a clone cannot follow`,
    {
      evidence: places.map(([where]) => where),
      hint: `Write these settings as plain paths, or take them out, then clone again: ${paths.config}`,
    },
  );
}

function* textsIn(value: unknown, where: string): Generator<readonly [string, string]> {
  if (typeof value === "string") yield [where, value];
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
    const place = where === "" ? key : `${where}.${key}`;
    yield [place, key];
    yield* textsIn(inner, place);
  }
}
