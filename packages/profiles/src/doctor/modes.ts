/** Checks for our files and folders that others may read or write. */
import { bitsOfOthers, errnoOf, fileError, shellCommand, unsafePath } from "@lockkeeper/core/internal";
import type { PathLook, Seen } from "@lockkeeper/core/internal";
import { closeSync, constants, fchmodSync, fstatSync, openSync, realpathSync } from "node:fs";
import { sep } from "node:path";
import { homePaths } from "../profile-paths.ts";
import type { Finding, Scene } from "./finding.ts";

/** Finds files and folders that others may read or write, with a repair for those that are ours. */
export function checkModes({ context: { home }, patients, facts }: Scene): readonly Finding[] {
  if (process.platform === "win32") return [];
  const shared = homePaths(home);
  const places = [home, shared.settings, shared.registry, shared.registryLastGood, shared.profiles, shared.run];
  for (const { manifest } of patients) {
    const { profile, lock, token, logs, state, config, workspace } = manifest.paths;
    places.push(profile, lock, token, logs);
    // We did not create the folders that an adopted gateway has elsewhere: their modes are their owner's choice.
    if (state.startsWith(profile)) places.push(state);
    if (config.startsWith(profile)) places.push(config.slice(0, config.lastIndexOf(sep)));
    if (workspace.startsWith(profile)) places.push(workspace);
  }
  const findings: Finding[] = [];
  for (const path of places) {
    const finding = ofPlace(home, path, facts.look);
    if (finding !== undefined) findings.push(finding);
  }
  return findings;
}

function ofPlace(home: string, path: string, look: PathLook): Finding | undefined {
  let seen: Seen | undefined;
  try {
    seen = look.see(path);
  } catch (error) {
    const errno = errnoOf(error) ?? "unknown error";
    return {
      weight: "unknown",
      code: "mode-unknown",
      title: `cannot look at ${path}`,
      evidence: [errno],
      command: null,
    };
  }
  if (seen === undefined || seen.kind === "link") return undefined;
  const open = bitsOfOthers(seen, path);
  if (open === 0) return undefined;
  const mode = (seen.mode & 0o700) | (seen.kind === "directory" ? 0o700 : 0o600);
  const shown = (seen.mode & 0o7777).toString(8).padStart(4, "0");
  const closed = mode.toString(8).padStart(4, "0");
  const ours = seen.uid === process.geteuid?.();
  const finding: Finding = {
    weight: (open & 0o022) === 0 ? "warning" : "error",
    code: "mode-loose",
    title: `others may ${(open & 0o022) === 0 ? "read" : "write"} ${path}`,
    evidence: [`mode ${shown}, made with ${closed}`, `owner uid ${seen.uid}`],
    command: shellCommand("chmod", closed, path),
  };
  // We did not create what a link leads to, at the path or on the way: its mode is its owner's choice.
  if (!ours || !liesIn(home, path)) return finding;
  const apply = async (): Promise<void> => close(path, mode, seen);
  return { ...finding, fix: { what: `close ${path} to others (mode ${closed})`, apply } };
}

function liesIn(home: string, path: string): boolean {
  try {
    const [root, real] = [realpathSync.native(home), realpathSync.native(path)];
    return real === `${root}${path.slice(home.length)}` && (real === root || real.startsWith(`${root}${sep}`));
  } catch {
    return false;
  }
}

/** Changes the mode of exactly the file that was checked, whatever is at its path by now. */
function close(path: string, mode: number, seen: Seen): void {
  const { O_RDONLY, O_NOFOLLOW = 0, O_DIRECTORY = 0, O_NONBLOCK = 0 } = constants;
  let fd: number | undefined;
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | (seen.kind === "directory" ? O_DIRECTORY : 0));
    const { ino, dev, nlink } = fstatSync(fd);
    if (ino !== seen.ino || dev !== seen.dev || (seen.kind !== "directory" && nlink > 1)) {
      throw unsafePath(path, "is another thing than a moment ago", "Look again: lockkeeper doctor");
    }
    fchmodSync(fd, mode);
  } catch (error) {
    throw fileError(error, "close", path);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
