/** `create`: makes a profile, and says what it will run and where. */
import { LockkeeperError } from "@lockkeeper/core";
import { shellCommand, warnAfter } from "@lockkeeper/core/internal";
import type { Profiles, ProfileStatus } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { preflightNotes } from "../preflight-notes.ts";
import { toProfileOptions } from "../profile-arguments.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["create"]>;

/** The new profile, and what its first start runs. */
type Created = ProfileStatus & { readonly argv: readonly string[]; readonly cwd: string };

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const kind = given.kind ?? (given.rest === undefined ? "builtin" : "command");
  const options = toProfileOptions(given, context.world.cwd);
  // The user's own program runs in the present folder.
  const cwd = options.cwd ?? (kind === "command" ? context.world.cwd() : undefined);
  const status = await profiles.create({ name: given.name, kind, ...options, cwd });
  const created: Created = { ...status, ...(await planOf(profiles, status)) };
  // Its folders and its token were just created, so no other profile shares them, and its ports were just bound.
  const warnings = context.json
    ? []
    : await preflightNotes(profiles, status.name, ["folders", "token", "log", "block"]);
  return { value: created, notes: [...warnings, `Start it with: lockkeeper start ${status.name}`] };
}

/** The profile exists by now, so an unreadable plan is only a warning. */
async function planOf(profiles: Profiles, status: ProfileStatus): Promise<Pick<Created, "argv" | "cwd">> {
  try {
    return await profiles.launchPlan(status.name);
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    warnAfter(`${status.name} is created`, error);
    return { argv: [], cwd: status.paths.workspace };
  }
}

export function render({ argv, cwd, ...status }: Created, { paint, quiet }: View): string {
  if (quiet) return `${status.name}\n`;
  const block = `ports ${status.port}-${status.port + status.span - 1}`;
  const title = `${paint.bold(status.name)} created: ${status.kind}, ${block}, ${plainLine(status.paths.profile)}\n`;
  if (status.command === null || argv.length === 0) return title;
  return `${title}  ${paint.dim("runs")}  ${plainLine(shellCommand(...argv))}\n  ${paint.dim("in")}    ${plainLine(cwd)}\n`;
}
