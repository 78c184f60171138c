/**
 * Reads the programs that pm2 starts after a reboot from the list that `pm2 save` wrote. pm2 itself is not asked. Entries that
 * are not understood are skipped.
 */
import { readIfPresentSync } from "@lockkeeper/core/internal";
import path from "node:path";
import { isRecord } from "../json.ts";

/** One saved program. */
export interface Pm2Program {
  readonly name: string;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The list that contains it. */
  readonly path: string;
}

/** Returns the saved programs of the user of `env`; none when there is no readable list. */
export function readPm2List(userHome: string, env: NodeJS.ProcessEnv): readonly Pm2Program[] {
  const file = path.join(env["PM2_HOME"] || path.join(userHome, ".pm2"), "dump.pm2");
  let saved: unknown;
  try {
    saved = JSON.parse(readIfPresentSync(file, "any") ?? "[]");
  } catch {
    return [];
  }
  return Array.isArray(saved) ? saved.flatMap((each: unknown) => programOf(each, file)) : [];
}

/** Source: pm2's `dump`: each entry is its `pm2_env`, with the arguments as a list or as one text. */
function programOf(entry: unknown, file: string): readonly Pm2Program[] {
  if (!isRecord(entry)) return [];
  const { name, pm_exec_path: program, args, env } = entry;
  if (typeof program !== "string") return [];
  const given: readonly unknown[] = Array.isArray(args) ? args : typeof args === "string" ? args.split(/\s+/) : [];
  const variables = isRecord(env) ? Object.entries(env) : [];
  return [
    {
      name: typeof name === "string" ? name : path.basename(program),
      argv: [program, ...given.filter((word) => typeof word === "string")],
      environment: Object.fromEntries(
        variables.filter((pair): pair is [string, string] => typeof pair[1] === "string"),
      ),
      path: file,
    },
  ];
}
