/**
 * Makes a second profile from a stopped one: its own ports, token and folders, the original's config, state and workspace
 * without what must not exist twice. It grows in a staging folder and counts with one rename: whole or not at all.
 */
import { ensurePrivateDirectory, fileError, LockkeeperError, readIfPresentSync, replaceFile } from "@lockkeeper/core";
import { readFileSync } from "node:fs";
import path from "node:path";
import type { ProfilesContext } from "../context.ts";
import { kinds } from "../kinds/kinds.ts";
import { observeManifest, statusOf } from "../status/observe-profile.ts";
import { type Manifest, withPort } from "../manifest.ts";
import { chooseBlock } from "../ports/port-choice.ts";
import { parsePort } from "../port-number.ts";
import { parseProfileName, type ProfileName } from "../profile-name.ts";
import { profilePaths } from "../profile-paths.ts";
import type { ProfileStatus } from "../status/profile-status.ts";
import { changeRegistry } from "../registry/registry-change.ts";
import { readRegistry, requireManifest } from "../registry/registry.ts";
import { cloneConfig, ownOpenClawConfig } from "./cloned-config.ts";
import { type CopyPlan, type CopyProgress, planCopy, runCopy } from "./copy-tree.ts";
import { isSecretName } from "../secrets.ts";
import { type LeftBehind, type LeftBehindKind, leftBehindKinds, reasonToLeave } from "./left-behind.ts";
import { moveManifest } from "./moved-manifest.ts";
import { refuseExisting } from "../registry/refuse-existing.ts";
import { withStaging } from "../registry/staging.ts";
import { writeNewToken } from "./token.ts";
import { running, whileStopped } from "./while-stopped.ts";

/** What a clone copies and where it gets its ports. */
export interface CloneOptions {
  /** What is copied although it is usually left behind. Links never are. @default none */
  readonly include?: readonly string[] | undefined;
  /** Base of its block. @default the lowest free block of the pool */
  readonly port?: number | string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
}

/** The clone, and what of the original it does not have. */
export interface CloneResult {
  readonly status: ProfileStatus;
  readonly copied: { readonly files: number; readonly bytes: number };
  readonly leftBehind: readonly LeftBehind[];
}

/**
 * Clones the profile. Starts nothing; the clone is not protected.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID, PROFILE_EXISTS, PROFILE_RUNNING; OPTION_INVALID for an
 *   unknown `include`; UNSAFE_PATH when a folder of the original is a link; ABORTED; and what `create` throws for ports.
 */
export async function cloneProfile(
  context: ProfilesContext,
  from: string,
  to: string,
  options: CloneOptions = {},
): Promise<CloneResult> {
  const { home } = context;
  const name = parseProfileName(to);
  const include = new Set((options.include ?? []).map(parseKind));
  const original = requireManifest(home, from);
  refuseExisting(home, readRegistry(home), name);
  const { observed } = observeManifest(context, original);
  if (observed.state === "external") throw running(from, observed.gateway?.pid);
  return whileStopped(home, original, () =>
    withStaging(
      home,
      async () => {
        const staged = `staging/${name}`;
        const folder = path.join(home, staged);
        const plans = planRooms(original, folder, include);
        const { files, bytes } = await runCopy(plans, options);
        const left: LeftBehind[] = plans.flatMap((plan) => plan.left);
        const clone = await changeRegistry(home, async ({ registry, commit }) => {
          refuseExisting(home, registry, name);
          const { manifest: draft, left: variables } = clonedManifest(home, original, name, include);
          const port = options.port === undefined ? undefined : parsePort(options.port);
          const block = await chooseBlock(home, registry, { host: draft.host, span: draft.span, port });
          const manifest = withPort(draft, block.first);
          left.push(...variables);
          await commit(
            [...registry.values(), manifest],
            { make: [staged], move: [{ from: staged, to: `profiles/${name}` }] },
            async () => {
              left.push(...(await furnish(original, manifest, folder, include)));
            },
          );
          return manifest;
        });
        const status = statusOf(context, observeManifest(context, clone));
        return { status, copied: { files, bytes }, leftBehind: left };
      },
      options.signal,
    ),
  );
}

function parseKind(text: string): LeftBehindKind {
  const kind = leftBehindKinds.find((known) => known === text && known !== "links");
  if (kind !== undefined) return kind;
  throw new LockkeeperError("OPTION_INVALID", `not something that a clone leaves behind: ${JSON.stringify(text)}`, {
    hint: `Known: ${leftBehindKinds.filter((known) => known !== "links").join(", ")}.`,
  });
}

/** The rooms that are copied as they are; an adopted gateway may have its config and workspace within its state. */
function planRooms({ paths }: Manifest, folder: string, include: ReadonlySet<LeftBehindKind>): readonly CopyPlan[] {
  const leaveIn = (room: "state" | "workspace") => (entry: string) => {
    const kind = reasonToLeave(entry, room);
    return kind === undefined || include.has(kind) ? undefined : kind;
  };
  return (["state", "workspace"] as const).map((room) =>
    planCopy(paths[room], path.join(folder, room), {
      label: room,
      leave: leaveIn(room),
      except: new Set([paths.config, ...(room === "state" ? [paths.workspace] : [paths.state])]),
    }),
  );
}

function clonedManifest(
  home: string,
  original: Manifest,
  name: ProfileName,
  include: ReadonlySet<LeftBehindKind>,
): { readonly manifest: Manifest; readonly left: readonly LeftBehind[] } {
  const paths = profilePaths(home, name);
  const moved = moveManifest(original, original.paths.profile, paths.profile);
  const { env, envFile, ...rest } = moved;
  const keepSecrets = include.has("credentials");
  const secret = keepSecrets ? [] : Object.keys(env ?? {}).filter(isSecretName);
  const kept = Object.entries(env ?? {}).filter(
    ([variable]) => !secret.includes(variable) && variable !== "OPENCLAW_PROFILE",
  );
  return {
    manifest: {
      ...rest,
      name,
      ...(kept.length === 0 ? {} : { env: Object.fromEntries(kept) }),
      ...(envFile === undefined || !keepSecrets ? {} : { envFile }),
      span: Math.max(rest.span, kinds[rest.kind].span),
      protected: false,
      createdAt: new Date().toISOString(),
      paths,
    },
    left: [
      ...secret.map((variable): LeftBehind => ({ kind: "credentials", what: `env: ${variable}` })),
      ...(envFile === undefined || keepSecrets ? [] : [{ kind: "credentials", what: `env file: ${envFile}` } as const]),
    ],
  };
}

/** Puts into the staged folder what is the clone's own: folders, token, config. Returns what stayed behind of the config. */
async function furnish(
  original: Manifest,
  clone: Manifest,
  folder: string,
  include: ReadonlySet<LeftBehindKind>,
): Promise<readonly LeftBehind[]> {
  const staged = (file: string): string => path.join(folder, path.relative(clone.paths.profile, file));
  const { lock, logs, state, workspace, config } = clone.paths;
  for (const each of [lock, logs, state, workspace, path.dirname(config)]) ensurePrivateDirectory(staged(each));
  const token = await writeNewToken(staged(clone.paths.token));
  const text = readConfig(original);
  const { document, left } =
    text === undefined
      ? { document: null, left: [] }
      : await cloneConfig(text, original, clone, include.has("credentials"));
  const own = clone.kind === "openclaw" ? ownOpenClawConfig(document, clone, token) : document;
  if (own !== null) await replaceFile(staged(config), `${JSON.stringify(own, null, 2)}\n`);
  return left;
}

/** An adopted config is theirs and may be a link of theirs. */
function readConfig({ paths }: Manifest): string | undefined {
  if (paths.config.startsWith(paths.profile)) return readIfPresentSync(paths.config);
  try {
    return readFileSync(paths.config, "utf8");
  } catch (error) {
    throw fileError(error, "read the config", paths.config);
  }
}
