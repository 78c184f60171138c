/** Locks on file systems that other hosts may mount too: a kernel lock may not hold between hosts. */
import { existsSync, statfsSync } from "node:fs";
import type { Finding, Scene } from "./finding.ts";

/** Source: statfs(2), `f_type`. */
const networkTypes: ReadonlyMap<number, string> = new Map([
  [0x6969, "nfs"],
  [0xff534d42, "cifs"],
  [0xfe534d42, "smb2"],
  [0x517b, "smb"],
  [0x01021997, "9p"],
  [0x5346414f, "afs"],
  [0x00c36400, "ceph"],
  [0x0bd00bd0, "lustre"],
  [0x73757245, "coda"],
]);

/** What is behind it is not told. */
const fuse = 0x65735546;

/** Finds locks on file systems where they may not hold; says so where it cannot tell. */
export function checkFileSystems({ context: { home }, patients }: Scene): readonly Finding[] {
  if (process.platform !== "linux") {
    const title = "whether locks lie on a network file system cannot be told on this system";
    return [{ weight: "unknown", code: "file-system-unknown", title, evidence: [process.platform], command: null }];
  }
  const places = new Set([home, ...patients.map(({ manifest }) => manifest.paths.lock)]);
  return [...places].flatMap((path): readonly Finding[] => {
    if (!existsSync(path)) return [];
    // The kernel's 32 bits come back sign-extended for the types above 0x7fffffff.
    const type = statfsSync(path).type >>> 0;
    const name = networkTypes.get(type);
    if (name !== undefined) {
      return [
        {
          weight: "warning",
          code: "network-file-system",
          title: `the locks in ${path} lie on a network file system (${name})`,
          evidence: ["two hosts that mount it may both believe that they own a profile"],
          command: "LOCKKEEPER_HOME=<a local directory> lockkeeper list",
        },
      ];
    }
    if (type !== fuse) return [];
    const title = `${path} lies on a FUSE file system: whether its locks hold cannot be told`;
    return [{ weight: "unknown", code: "file-system-unknown", title, evidence: ["fuse"], command: null }];
  });
}
