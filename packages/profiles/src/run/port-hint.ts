/** The hint for a program that listens on a port of its own choice. Pure. */
import { shellCommand } from "@lockkeeper/core/internal";
import path from "node:path";
import type { Manifest } from "../manifest.ts";

/** Returns one sentence with a command; undefined for a program that gets its port already. */
export function portHint({
  name,
  kind,
  command = [],
}: Pick<Manifest, "name" | "kind" | "command">): string | undefined {
  if (kind !== "command" || command.some((word) => word.includes("{port"))) return undefined;
  const [program = ""] = command;
  // Arguments for the script in package.json follow a second `--`.
  const isScript = path.basename(program) === "npm" && !command.includes("--");
  const edit = shellCommand(
    "lockkeeper",
    "edit",
    name,
    "--",
    ...command,
    ...(isScript ? ["--"] : []),
    "--port",
    "{port}",
  );
  return `It does not go by the variable PORT. If it takes its port as an argument: ${edit}`;
}
