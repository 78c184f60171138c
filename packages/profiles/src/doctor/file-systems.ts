/** Checks for locks on file systems that other hosts may mount too: a kernel lock may not hold between hosts. */
import { networkFileSystem } from "@lockkeeper/core/internal";
import type { PathLook } from "@lockkeeper/core/internal";
import type { Finding, Scene } from "./finding.ts";

/** Finds locks on file systems where they may not hold, and says where it does not know. */
export function checkFileSystems({ context: { home }, patients, facts: { look } }: Scene): readonly Finding[] {
  if (process.platform !== "linux") {
    const title = "whether locks are on a network file system is unknown on this system";
    return [{ weight: "unknown", code: "file-system-unknown", title, evidence: [process.platform], command: null }];
  }
  const places = new Set([home, ...patients.map(({ manifest }) => manifest.paths.lock)]);
  // Folders of one device are on one file system, which need not be asked for each.
  const local = new Set<number>();
  return [...places].flatMap((path): readonly Finding[] => {
    const device = deviceOf(path, look);
    if (device !== undefined && local.has(device)) return [];
    if (device === undefined && !look.exists(path)) return [];
    const name = networkFileSystem(path);
    if (name === undefined && device !== undefined) local.add(device);
    if (name !== undefined && name !== "fuse") {
      return [
        {
          weight: "warning",
          code: "network-file-system",
          title: `the locks in ${path} are on a network file system (${name})`,
          evidence: ["two hosts that mount it may both believe that they own a profile"],
          command: null,
          hint: "Choose a directory on a local disk, and set LOCKKEEPER_HOME to it.",
        },
      ];
    }
    // The file system behind it is unknown.
    if (name === undefined) return [];
    const title = `${path} is on a FUSE file system: whether its locks hold is unknown`;
    return [{ weight: "unknown", code: "file-system-unknown", title, evidence: ["fuse"], command: null }];
  });
}

/** Undefined for a link, which may lead to another device. */
function deviceOf(path: string, look: PathLook): number | undefined {
  return look.kindOf(path) === "directory" ? look.see(path)?.dev : undefined;
}
