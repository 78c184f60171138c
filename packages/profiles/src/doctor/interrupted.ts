/** Checks for the remains of a killed command: a half-made change, folders that no profile owns. */
import { faultOf } from "@lockkeeper/core/internal";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { entriesOf } from "../directory-entries.ts";
import { lookAtLeftFolder } from "../life/left-folder.ts";
import { homePaths } from "../profile-paths.ts";
import { readRegistry } from "../registry/registry.ts";
import { settleRegistry } from "../registry/registry-change.ts";
import type { Finding, Scene } from "./finding.ts";

/** Finds a change that was never finished, and folders that no profile owns. */
export function checkInterrupted({ context, patients }: Scene): readonly Finding[] {
  const { home } = context;
  const { registryIntent, profiles } = homePaths(home);
  const findings: Finding[] = [];
  if (existsSync(registryIntent)) {
    findings.push({
      weight: "warning",
      code: "change-interrupted",
      title: "a change of the profiles was interrupted",
      evidence: [registryIntent, "the next command that changes profiles undoes it or sees it through by itself"],
      command: "lockkeeper doctor --fix",
      fix: { what: "undo the interrupted change, or see it through", apply: () => settleRegistry(home) },
    });
    return findings;
  }
  const known = new Set<string>(patients.map(({ manifest }) => basename(manifest.paths.profile)));
  // A damaged registry does not say who owns a folder. An empty one does: nobody.
  for (const name of known.size === 0 && faultOf(() => readRegistry(home)) !== undefined ? [] : entriesOf(profiles)) {
    if (known.has(name)) continue;
    const folder = join(profiles, name);
    const { run, fact, command } = lookAtLeftFolder(context, name, folder);
    if (run !== undefined) {
      const pids = [run.keeper, run.gateway].flatMap((process) => process?.pid ?? []);
      findings.push({
        weight: "error",
        code: "run-unregistered",
        title: `${name} runs, and is not in the registry`,
        evidence: [
          folder,
          pids.length === 0 ? "its lock is held, and its processes are not visible here" : `pids ${pids.join(", ")}`,
          "the registry was probably put back to an older one",
        ],
        command,
      });
      continue;
    }
    findings.push({
      weight: "warning",
      code: "folder-unknown",
      title: `no profile owns the folder ${folder}`,
      evidence: [fact],
      command,
    });
  }
  return findings;
}
