/** Checks whether this user may change the home. The system is asked (access(2)); nothing is written to find out. */
import { errnoOf, faultOf, requireRoom, shellCommand } from "@lockkeeper/core/internal";
import { accessSync, constants } from "node:fs";
import { requireSafeHome } from "../home.ts";
import { homePaths } from "../profile-paths.ts";
import type { Finding, Scene } from "./finding.ts";

/** The access to a folder that creating or replacing a file in it needs. */
const changeable = constants.W_OK | constants.X_OK;

/** Finds a full disk, and a home or a folder of all its profiles that cannot be written. A missing one is created when it is needed. */
export function checkHomeAccess({ context: { home } }: Scene): readonly Finding[] {
  const { profiles, run, trash } = homePaths(home);
  const danger = dangerOf(home);
  const refused = [home, profiles, run, trash].flatMap((path) => {
    const errno = refusalOf(path);
    return errno === undefined || errno === "ENOENT" ? [] : [`${path}: ${errno}`];
  });
  if (refused.length === 0) return [...danger, ...fullDisk(home)];
  return [
    ...danger,
    {
      weight: "warning",
      code: "home-not-writable",
      title: `${home} cannot be written by this user`,
      evidence: [...refused, "what runs can be looked at; create, start and use will fail"],
      command: shellCommand("ls", "-ld", home),
    },
  ];
}

function fullDisk(home: string): readonly Finding[] {
  const fault = faultOf(() => requireRoom(home));
  if (fault?.code !== "DISK_FULL") return [];
  return [
    {
      weight: "error",
      code: "home-disk-full",
      title: fault.message,
      evidence: ["what runs goes on; start, restart and every change will fail"],
      command: shellCommand("df", "-h", home),
    },
  ];
}

function dangerOf(home: string): readonly Finding[] {
  const fault = faultOf(() => requireSafeHome(home));
  if (fault === undefined) return [];
  return [
    {
      weight: "error",
      code: "home-unsafe",
      title: fault.message,
      evidence: ["what it says can be looked at; every verb that acts is refused"],
      command: shellCommand("ls", "-ld", home, homePaths(home).profiles, homePaths(home).run),
    },
  ];
}

function refusalOf(path: string): string | undefined {
  try {
    accessSync(path, changeable);
    return undefined;
  } catch (error) {
    return errnoOf(error) ?? "unknown error";
  }
}
