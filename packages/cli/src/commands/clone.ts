/** `clone`: makes a second profile from a stopped one. The answer lists what was not copied. */
import type { CloneResult, CopyProgress } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { chooseTargets } from "../targets.ts";
import { renderBar } from "../terminal/bar.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { formatSize } from "../terminal/sizes.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["clone"]>;

export async function run(context: Context, { from, to, port, include, stop, confirm }: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  await chooseTargets(context, profiles, { names: [from], confirm });
  const { isTerminal } = context.world.stderr;
  const { stop: signal } = context.world.interruption();
  const result = await profiles
    .clone(from, to, {
      port,
      include,
      stop,
      signal,
      onRunProgress: (text) => context.progress.update(from, text),
      onProgress: (progress) => {
        if (progress.totalFiles > 0) context.progress.update(to, describeCopy(progress, isTerminal));
      },
    })
    .finally(context.progress.finish);
  const kinds = [...new Set(result.leftBehind.map(({ kind }) => kind))].filter((kind) => kind !== "links");
  // A second gateway needs the locks of the first least of all.
  const kind = kinds.find((each) => each !== "locks") ?? kinds[0];
  const notes: string[] = kind === undefined ? [] : [`To copy a kind after all: --include ${kind}`];
  if (result.restarted) notes.push(`${from} was stopped for the copy and runs again`);
  return { value: result, notes: [...notes, `Start it with: lockkeeper start ${to}`] };
}

export function render({ status, copied, leftBehind }: CloneResult, { paint, quiet }: View): string {
  if (quiet) return `${status.name}\n`;
  const block = `ports ${status.port}-${status.port + status.span - 1}`;
  const files = copied.files === 1 ? "1 file" : `${copied.files} files`;
  const amount = copied.files === 0 ? "nothing to copy" : `${files} (${formatSize(copied.bytes)}) copied`;
  const left = leftBehind.map(({ kind, what }) => `  ${paint.yellow(kind.padEnd(11))}  ${plainLine(what)}\n`);
  const nothing = copied.files === 0 ? "" : "nothing was left behind\n";
  const title = left.length === 0 ? nothing : "left behind:\n";
  return `${paint.bold(status.name)} created: ${block}, ${amount}\n${title}${left.join("")}`;
}

/** Returns one line; the same one for many calls, so that thousands of files are not thousands of lines. Pure. */
export function describeCopy({ files, totalFiles, bytes, totalBytes }: CopyProgress, isTerminal: boolean): string {
  const done = totalBytes > 0 ? bytes / totalBytes : totalFiles > 0 ? files / totalFiles : 1;
  const all = `${totalFiles} ${totalFiles === 1 ? "file" : "files"}, ${formatSize(totalBytes)}`;
  return `copying ${renderBar(done, isTerminal)} of ${all}`;
}
