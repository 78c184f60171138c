/** The words that `sh` makes of a command line, with nothing run. */
import { execFileSync } from "node:child_process";

/** Returns the words of the first command in `line`; what a pipe, `&&` or `;` adds behind it is left out. */
export function shellWords(line: string): readonly string[] {
  // A command with a pipe or a list behind it: only the first is ours.
  const script = `lockkeeper() { printf '%s\\0' lockkeeper "$@" >&3; }\n${line}\n`;
  const output = execFileSync("/bin/sh", ["-c", `exec 3>&1; exec >/dev/null 2>&1; ${script} exit 0`], {
    encoding: "utf8",
    env: { PATH: "/nowhere" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const words = output.split("\0").slice(0, -1);
  const again = words.indexOf("lockkeeper", 1);
  return again === -1 ? words : words.slice(0, again);
}
