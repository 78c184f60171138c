/** Returns the words that `sh` makes of a command line; nothing is run. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** Returns the words of the first command in `line`; anything after a pipe, `&&` or `;` is left out. */
export function shellWords(line: string): readonly string[] {
  const script = `lockkeeper() { printf '%s\\0' lockkeeper "$@" >&3; }\n${line}\n`;
  // A redirection writes its file into a folder that is thrown away.
  const cwd = mkdtempSync(path.join(tmpdir(), "lockkeeper-words-"));
  try {
    const output = execFileSync("/bin/sh", ["-c", `exec 3>&1; exec >/dev/null 2>&1; ${script} exit 0`], {
      cwd,
      encoding: "utf8",
      env: { PATH: "/nowhere", HOME: cwd },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const words = output.split("\0").slice(0, -1);
    const again = words.indexOf("lockkeeper", 1);
    return again === -1 ? words : words.slice(0, again);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}
