/** Profiles as text for a container engine. Reads the records, changes nothing, and needs no gateway to stop. */
import { LockkeeperError } from "@lockkeeper/core";
import { isWildcardHost, shellCommand } from "@lockkeeper/core/internal";
import type { ProfilesContext } from "../context.ts";
import { kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";
import { readRegistry, requireFrom } from "../registry/registry.ts";
import { containerPlan, isMounted } from "./container-plan.ts";
import type { ContainerPlan } from "./container-plan.ts";

/** The engines. */
const ENGINE_FORMATS = ["compose", "kubernetes", "quadlet"] as const;
/** The format of one container engine. */
export type EngineFormat = (typeof ENGINE_FORMATS)[number];

/** Options of an export. */
export interface ExportOptions {
  readonly format: EngineFormat;
  /** The image that the containers run. @default a variable for Compose, else `localhost/lockkeeper:<version>` */
  readonly image?: string | undefined;
  /** Return the Containerfile of such an image instead of the engine's text. @default false */
  readonly containerfile?: boolean | undefined;
  /** The version of Lockkeeper for the image. */
  readonly version: string;
}

/** One file of text. */
export interface ExportedFile {
  /** Its usual name. */
  readonly name: string;
  readonly text: string;
}

/** The result of an export. */
export interface ExportResult {
  readonly format: EngineFormat;
  readonly profiles: readonly string[];
  readonly files: readonly ExportedFile[];
  /** What the image must have beside Lockkeeper, in words. */
  readonly needs: readonly string[];
  /** Further notes for people. */
  readonly notes: readonly string[];
}

/**
 * Returns the files that run the profiles unchanged: with the same paths, user and addresses.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND; OPTION_INVALID for what the engine cannot express, and on systems other than Linux.
 */
export async function exportProfiles(
  context: ProfilesContext,
  names: readonly string[],
  { format, image, containerfile = false, version }: ExportOptions,
): Promise<ExportResult> {
  if (!ENGINE_FORMATS.includes(format)) {
    throw new TypeError(`exportToEngine: expected format to be one of ${ENGINE_FORMATS.join(", ")}, got ${format}`);
  }
  if (image !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._/:@-]*$/.test(image)) {
    throw new LockkeeperError("OPTION_INVALID", `not the name of an image: ${JSON.stringify(image)}`, {
      hint: "For example: --image registry.example/lockkeeper:1",
    });
  }
  const registry = readRegistry(context.home, context.owner);
  const manifests = names.map((name) => requireFrom(registry, context.home, name));
  const plans = manifests.map((manifest) => containerPlan(context, manifest));
  const ours = image ?? `localhost/lockkeeper:${version}`;
  const missing = format === "kubernetes" ? plans.flatMap(foldersOutside) : [];
  const needs = [...plans.flatMap((plan) => plan.needs), ...missing];
  const notes = [
    ...manifests.flatMap(({ name, service, after = [] }) => [
      ...(service === undefined
        ? []
        : [`${name} is under a service manager, which starts it too: lockkeeper service uninstall ${name}`]),
      ...after
        .filter((other) => !names.includes(other))
        .map((other) => `${name} starts after ${other}, which is not exported with it`),
      ...(format === "kubernetes" ? after.filter((other) => names.includes(other)) : []).map(
        (other) => `${name} starts after ${other} here; Kubernetes starts all at once`,
      ),
    ]),
    ...(format === "kubernetes" ? [] : plans.flatMap(wideDirectories)),
    ...(format === "compose" ? plans.flatMap(tornPaths) : []),
    ...(await Promise.all(manifests.map(unreachable))).flat(),
  ];
  const files = containerfile
    ? [await containerfileOf({ version, image: ours, needs })]
    : await filesOf(format, plans, image, ours);
  return { format, profiles: names, files, needs, notes };
}

async function filesOf(
  format: EngineFormat,
  plans: readonly ContainerPlan[],
  asked: string | undefined,
  image: string,
): Promise<readonly ExportedFile[]> {
  switch (format) {
    case "compose": {
      const { formatCompose } = await import("./compose.ts");
      return [{ name: "compose.yaml", text: formatCompose(plans, asked) }];
    }
    case "kubernetes": {
      const { formatKubernetes } = await import("./kubernetes.ts");
      return [{ name: "lockkeeper.yaml", text: formatKubernetes(plans, image) }];
    }
    case "quadlet": {
      const { formatQuadlet, quadletName } = await import("./quadlet.ts");
      return plans.map((plan) => ({ name: quadletName(plan), text: formatQuadlet(plan, image) }));
    }
  }
}

async function containerfileOf(request: {
  version: string;
  image: string;
  needs: readonly string[];
}): Promise<ExportedFile> {
  const { formatContainerfile } = await import("./containerfile.ts");
  return { name: "Containerfile", text: formatContainerfile(request) };
}

/** A pod has the home in its volume; the code must be in the image. */
function foldersOutside({ profile, mounts }: ContainerPlan): readonly string[] {
  const kept = mounts.filter(({ role }) => role !== "cwd");
  return mounts.flatMap(({ role, path }) =>
    role === "cwd" && !isMounted(path, kept) ? [`${profile} needs the folder ${path}, its working directory`] : [],
  );
}

/** Source: tried with podman 4.3, whose server for Compose writes a mount as `type=bind,source=PATH` and reads that as CSV. */
function tornPaths({ profile, mounts }: ContainerPlan): readonly string[] {
  return mounts
    .filter(({ path }) => /[,"]/.test(path))
    .map(
      ({ path }) => `${profile} mounts ${JSON.stringify(path)}: Docker takes the comma or quote in it, podman does not`,
    );
}

/** A program with its own config listens where that config says, whatever is published for it. */
async function unreachable(manifest: Manifest): Promise<readonly string[]> {
  const { name, kind, host, paths } = manifest;
  if (!isWildcardHost(host)) return [];
  const config = await (await kinds[kind].foreign?.())?.readConfig(manifest);
  if (config === undefined || isWildcardHost(config.host)) return [];
  return [
    `${name} listens on ${config.host} by its own config, so nobody reaches it from outside its container: gateway.bind in ${paths.config} has to be "lan"`,
  ];
}

/** A profile created in a home directory exports all of it. */
function wideDirectories({ profile, home, mounts }: ContainerPlan): readonly string[] {
  return mounts
    .filter(({ role, path }) => role === "cwd" && home.startsWith(`${path}/`))
    .map(
      ({ path }) =>
        `${profile} works in ${path}, which is mounted whole: ${shellCommand("lockkeeper", "edit", profile, "--cwd", `${path}/app`)}`,
    );
}
