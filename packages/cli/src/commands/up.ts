/**
 * `up`: creates missing profiles (built-in gateways unless another kind is given), starts all named ones and prints their
 * list. Idempotent.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { nearestNames, shellCommand } from "@lockkeeper/core/internal";
import type { CreateOptions, ProfileStatus, Profiles } from "@lockkeeper/profiles";
import { isPattern, parseProfileName } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import { requireYes } from "../consent.ts";
import type { Context } from "../context.ts";
import { onEachProfile } from "../each-profile.ts";
import { renderStatusTable } from "../status-table.ts";
import { fileWords, setRequest } from "../set-plan-text.ts";
import { chooseTargets } from "../targets.ts";
import type { Targets } from "../targets.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["up"]>;

export async function run(context: Context, given: Arguments): Promise<Result> {
  // With one bad name among good ones nothing is created.
  given.names.filter((word) => !isPattern(word)).forEach(parseProfileName);
  const profiles = await context.openProfiles();
  const fromFile = await namesOfFile(context, profiles, given);
  const { names } = fromFile ?? (await chooseTargets(context, profiles, given));
  const { stop: signal } = context.world.interruption();
  const existing = new Set((await profiles.list({ probe: false })).map(({ name }) => name));
  const missing = names.filter((name) => !existing.has(name));
  if (!given.yes) await askAboutNearNames(context, missing, [...existing], given);
  const words = fromFile === undefined ? [] : fileWords(setRequest(context.world, given));
  const startedBy = `"${shellCommand("lockkeeper", "up", ...words)}"`;
  const { steps } = await profiles.order("start", names);
  const { failures } = await onEachProfile(context, steps, "hold-back", async (name, onProgress) => {
    if (!existing.has(name) && names.includes(name)) {
      onProgress("creating");
      await createUnlessThere(profiles, { name, kind: kindOf(given), argv: given.rest });
    }
    onProgress("starting");
    return profiles.start(name, { timeoutMs: given.timeout, startedBy, signal, onProgress });
  });
  const statuses = (await profiles.list()).filter(({ name }) => steps.some((step) => step.name === name));
  const made = missing.filter((name) => statuses.some((status) => status.name === name));
  const notes =
    names.length === 0
      ? [`No profiles in ${profiles.home}. Make one with: lockkeeper up dev`]
      : made.map((name) => `${name}: new (${KIND_WORDS[kindOf(given)] ?? kindOf(given)})`);
  return { value: statuses, failures: failures ?? [], notes };
}

export function render(statuses: readonly ProfileStatus[], view: View): string {
  return renderStatusTable(statuses, view);
}

/** A file that was applied; undefined when none is named. */
async function namesOfFile(context: Context, profiles: Profiles, given: Arguments): Promise<Targets | undefined> {
  if (given.file === undefined && given.prefix === undefined) return undefined;
  if (given.names.length > 0 || given.file === undefined) {
    const message = given.file === undefined ? "--prefix belongs to --file" : `--file and ${given.names[0]} contradict`;
    throw new LockkeeperError("USAGE", `up: ${message}`, { hint: "Give names, or a file." });
  }
  return { names: await profiles.appliedSet(setRequest(context.world, given)), skipped: [] };
}

const KIND_WORDS: Readonly<Record<string, string>> = {
  builtin: "built-in gateway",
  command: "its own command",
  openclaw: "OpenClaw gateway",
};

/**
 * A new name that is near an old one is usually a typing mistake.
 *
 * @throws {LockkeeperError} CONFIRMATION_NEEDED when nobody said yes; nothing was created.
 */
async function askAboutNearNames(
  context: Context,
  missing: readonly string[],
  existing: readonly string[],
  { kind, rest, timeout }: Arguments,
): Promise<void> {
  const isPlain = kind === undefined && rest === undefined && timeout === undefined;
  for (const name of missing) {
    const near = slipsOf(name, existing);
    if (near.length === 0) continue;
    await requireYes(context.world, `${name} does not exist; ${near.join(" and ")} does. Make a new profile ${name}?`, {
      message: `${name} does not exist and is near ${near.join(" and ")}: nothing was made`,
      hint: isPlain
        ? `For a new one: ${shellCommand("lockkeeper", "up", name, "--yes")}`
        : "For a new one, add to the same command: --yes",
      evidence: [`the one that exists: lockkeeper up ${near[0] ?? ""}`],
    });
  }
}

/** Short names, and names that differ only in digits, are intended: web1 and web2. */
function slipsOf(name: string, existing: readonly string[]): readonly string[] {
  const word = letters(name);
  if (word.length < SHORTEST_SLIP) return [];
  return nearestNames(name, existing).filter(
    (near) =>
      letters(near).length >= SHORTEST_SLIP &&
      letters(near) !== word &&
      !near.startsWith(name) &&
      !name.startsWith(near),
  );
}

function letters(text: string): string {
  return text.replaceAll(/[\d-]/g, "");
}

/** A word with fewer letters is short by intention. */
const SHORTEST_SLIP = 3;

function kindOf({ kind, rest }: Arguments): string {
  return kind ?? (rest === undefined ? "builtin" : "command");
}

/** Two `up`s at once may both find a profile missing; afterwards it exists, which is all that matters. */
async function createUnlessThere(profiles: Profiles, options: CreateOptions): Promise<void> {
  try {
    await profiles.create(options);
  } catch (error) {
    if (!(error instanceof LockkeeperError) || error.code !== "PROFILE_EXISTS") throw error;
  }
}
