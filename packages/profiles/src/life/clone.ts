/**
 * Makes a second profile from a stopped one: with its own ports, token and folders, and with the original's config, state and
 * workspace except for the parts that must not exist twice. The clone is prepared in a staging folder and counts with one
 * rename: completely or not at all.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { ensurePrivateDirectory, readIfPresentSync, replaceFile, shellCommand } from "@lockkeeper/core/internal";
import { readFileSync } from "node:fs";
import path from "node:path";
import type { ProfilesContext } from "../context.ts";
import { kinds } from "../kinds/kinds.ts";
import { statusAfterChange } from "../status/observe-all.ts";
import { withPort } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";
import { chooseBlock } from "../ports/port-choice.ts";
import { parsePort } from "../port-number.ts";
import { parseProfileName } from "../profile-name.ts";
import type { ProfileName } from "../profile-name.ts";
import { homePaths, profilePaths } from "../profile-paths.ts";
import type { ProfileStatus } from "../status/profile-status.ts";
import { changeRegistry } from "../registry/registry-change.ts";
import { readRegistry, requireManifest } from "../registry/registry.ts";
import { withBriefStop } from "./brief-stop.ts";
import type { RunVerbs } from "./brief-stop.ts";
import { cloneConfig } from "./cloned-config.ts";
import { planCopy, runCopy } from "./copy-tree.ts";
import type { CopyPlan, CopyProgress } from "./copy-tree.ts";
import type { ForeignProgram } from "../foreign-program.ts";
import { isSecretName, secretsIn } from "../secrets.ts";
import { LEFT_BEHIND_KINDS, reasonToLeave } from "./left-behind.ts";
import type { LeftBehind, LeftBehindKind } from "./left-behind.ts";
import { moveManifest } from "./moved-manifest.ts";
import { refuseExisting } from "./refuse-existing.ts";
import { withStaging } from "../registry/staging.ts";
import { writeNewToken } from "./token.ts";
import { refuseStateOwner, whileStopped } from "./while-stopped.ts";

/** What a clone copies and where it gets its ports. */
export interface CloneOptions {
  /** Kinds of files to copy although they usually stay behind. Links are never copied. @default none */
  readonly include?: readonly string[] | undefined;
  /** Base of its block. @default the lowest free block of the pool */
  readonly port?: number | string | undefined;
  /** Stop an original that runs, for as long as the copy takes, and start it again. @default false: refused while it runs */
  readonly stop?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
  /** Called with one line at a time while the original is stopped and started. */
  readonly onRunProgress?: ((text: string) => void) | undefined;
}

/** The clone, and the parts of the original that it lacks. */
export interface CloneResult {
  readonly status: ProfileStatus;
  readonly copied: { readonly files: number; readonly bytes: number };
  readonly leftBehind: readonly LeftBehind[];
  /** The original ran, was stopped for the copy, and runs again. */
  readonly restarted: boolean;
}

/**
 * Clones the profile. The clone is not started and not protected; the original is as it was.
 *
 * @param verbs by which `options.stop` stops and starts the original.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID, PROFILE_EXISTS, PROFILE_RUNNING; OPTION_INVALID for an
 * unknown `include`; UNSAFE_PATH when a folder of the original is a link; ABORTED; and the errors of `create` for ports.
 */
export async function cloneProfile(
  context: ProfilesContext,
  from: string,
  to: string,
  options: CloneOptions = {},
  verbs?: RunVerbs,
): Promise<CloneResult> {
  const { home } = context;
  const name = parseProfileName(to);
  const include = new Set((options.include ?? []).map(parseKind));
  const original = requireManifest(home, from);
  await refuseExisting(home, readRegistry(home), name);
  if (options.port !== undefined) parsePort(options.port);
  const copy = (): Promise<CloneResult> => copyWhileStopped(context, original, name, include, options);
  if (options.stop !== true || verbs === undefined) return copy();
  const { signal, onRunProgress: onProgress } = options;
  const startedBy = `"${shellCommand("lockkeeper", "clone", from, to, "--stop")}"`;
  const { value, wasStopped } = await withBriefStop(context, original, verbs, { signal, onProgress, startedBy }, copy);
  return { ...value, restarted: wasStopped };
}

async function copyWhileStopped(
  context: ProfilesContext,
  original: Manifest,
  name: ProfileName,
  include: ReadonlySet<LeftBehindKind>,
  options: CloneOptions,
): Promise<CloneResult> {
  const { home } = context;
  const program = await kinds[original.kind].foreign?.();
  // What is copied while it is written would be half old and half new.
  const hint = `What it writes meanwhile would be copied in part. Let it be stopped for the copy: ${shellCommand("lockkeeper", "clone", original.name, name, "--stop")}`;
  const action = (): Promise<CloneResult> =>
    withStaging(
      home,
      async () => {
        refuseStateOwner(original);
        const folder = path.join(homePaths(home).staging, name);
        const plans = planRooms(original, folder, include, await secretFiles(original, program));
        const { files, bytes } = await runCopy(plans, options);
        const left: LeftBehind[] = plans.flatMap((plan) => plan.left);
        const clone = await changeRegistry(home, async ({ registry, commit }) => {
          await refuseExisting(home, registry, name);
          const { manifest: draft, left: variables } = clonedManifest(home, original, name, include);
          const port = options.port === undefined ? undefined : parsePort(options.port);
          const block = await chooseBlock(home, registry, { host: draft.host, span: draft.span, port });
          const manifest = withPort(draft, block.first);
          left.push(...variables);
          await commit(
            [...registry.values(), manifest],
            { make: [folder], move: [{ from: folder, to: manifest.paths.profile }] },
            async () => {
              left.push(...(await furnish(original, manifest, folder, include)));
            },
          );
          return manifest;
        });
        const status = await statusAfterChange(context, clone);
        return { status, copied: { files, bytes }, leftBehind: left, restarted: false };
      },
      options.signal,
    );
  return whileStopped(home, original, action, { hint });
}

function parseKind(text: string): LeftBehindKind {
  const kind = LEFT_BEHIND_KINDS.find((known) => known === text && known !== "links");
  if (kind !== undefined) return kind;
  throw new LockkeeperError("OPTION_INVALID", `not something that a clone leaves behind: ${JSON.stringify(text)}`, {
    hint: `Known: ${LEFT_BEHIND_KINDS.filter((known) => known !== "links").join(", ")}.`,
  });
}

/** Returns whether a file is a part of the config, or holds a known secret of the original. */
async function secretFiles(
  original: Manifest,
  program: ForeignProgram | undefined,
): Promise<(file: string, sizeBytes: number) => boolean> {
  const config = await program?.readConfig(original);
  const parts = new Set(config?.parts);
  const texts = [...secretsIn(config?.document), ...secretsIn(original.env)].map(({ secret }) => secret);
  const secrets = [...texts, readIfPresentSync(original.paths.token)?.trim() ?? ""]
    // Shorter values are words like `none`; `${NAME}` is only a reference.
    .filter((secret) => secret.length >= 8 && !secret.startsWith("$"))
    .map((secret) => Buffer.from(secret));
  return (file, sizeBytes) => {
    if (parts.has(file)) return true;
    if (secrets.length === 0 || sizeBytes > SEARCHED_BYTES) return false;
    const content = readFileSync(file);
    return secrets.some((secret) => content.includes(secret));
  };
}

/** The folders that are copied; an adopted gateway may have its config and workspace within its state. */
function planRooms(
  { paths }: Manifest,
  folder: string,
  include: ReadonlySet<LeftBehindKind>,
  isSecret: (file: string, sizeBytes: number) => boolean,
): readonly CopyPlan[] {
  const leaveIn = (room: "state" | "workspace") => (entry: string, file: string, sizeBytes: number | null) => {
    const named = reasonToLeave(entry, room);
    const kind =
      named ??
      (sizeBytes !== null && !include.has("credentials") && isSecret(file, sizeBytes) ? "credentials" : undefined);
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

/** Larger files are media and databases; databases stay behind by their name. */
const SEARCHED_BYTES = 4 * 1_024 * 1_024;

function clonedManifest(
  home: string,
  original: Manifest,
  name: ProfileName,
  include: ReadonlySet<LeftBehindKind>,
): { readonly manifest: Manifest; readonly left: readonly LeftBehind[] } {
  const paths = profilePaths(home, name);
  // The deepest path first, because an adopted gateway's workspace may lie in its state.
  const rooms = (["workspace", "state", "profile"] as const)
    .map((room) => [original.paths[room], paths[room]] as const)
    .sort(([a], [b]) => b.length - a.length);
  const moved = rooms.reduce((manifest, [from, to]) => moveManifest(manifest, from, to), original);
  // With the original's lease the clone would wait for ever. And the clone is not in the file of a set.
  const { env, envFile, hooks, lease: _lease, set: _set, ...rest } = moved;
  const itsName = kinds[original.kind].environment(original, original.port);
  const keepSecrets = include.has("credentials");
  const secret = keepSecrets ? [] : Object.keys(env ?? {}).filter(isSecretName);
  const kept = Object.entries(env ?? {}).filter(
    ([variable]) => !secret.includes(variable) && !Object.hasOwn(itsName, variable),
  );
  // An address may be a secret, and its owner asked for news of the original only.
  const isSilenced = ([, target]: [string, string]): boolean => !keepSecrets && !path.isAbsolute(target);
  const told = Object.entries(hooks ?? {}).filter((hook) => !isSilenced(hook));
  const silenced = Object.entries(hooks ?? {}).filter(isSilenced);
  return {
    manifest: {
      ...rest,
      name,
      ...(kept.length === 0 ? {} : { env: Object.fromEntries(kept) }),
      ...(envFile === undefined || !keepSecrets ? {} : { envFile }),
      ...(told.length === 0 ? {} : { hooks: Object.fromEntries(told) }),
      span: Math.max(rest.span, kinds[rest.kind].span),
      protected: false,
      createdAt: new Date().toISOString(),
      paths,
    },
    left: [
      ...silenced.map(([event]): LeftBehind => ({ kind: "credentials", what: `hook: ${event}` })),
      ...secret.map((variable): LeftBehind => ({ kind: "credentials", what: `env: ${variable}` })),
      ...(envFile === undefined || keepSecrets ? [] : [{ kind: "credentials", what: `env file: ${envFile}` } as const]),
    ],
  };
}

/** Adds the clone's own folders, token and config to the staged folder. Returns the omitted parts of the config. */
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
  const keepSecrets = include.has("credentials");
  const program = await kinds[clone.kind].foreign?.();
  const own = await (program?.cloneConfig(original, clone, token, keepSecrets) ??
    cloneConfig(original, clone, keepSecrets));
  if (own.text !== null) await replaceFile(staged(config), own.text);
  return own.dropped.map((what) => ({ kind: "credentials", what: `config: ${what}` }));
}
