/**
 * SECURITY 7: an access control list can let another user in although the mode shows only the user's own group. The list
 * counts like the mode: no command that acts obeys a file that others can write.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";

const STRANGER = 12_345;

/** Gives the other user rights in a list, as `setfacl -m u:12345:rwx` does. Source: acl(5), linux/posix_acl_xattr.h. */
const PROGRAM = `
import os, struct, sys
path, perm, uid, nobody = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), 0xffffffff
own = (os.stat(path).st_mode >> 6) & 7
entries = [(1, own, nobody), (2, perm, uid), (4, 0, nobody), (16, perm, nobody), (32, 0, nobody)]
os.setxattr(path, "system.posix_acl_access", struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries))
`;

function letIn(file: string, permissions: 4 | 6 | 7): boolean {
  return spawnSync("python3", ["-c", PROGRAM, file, String(permissions), String(STRANGER)]).status === 0;
}

function why(): string | undefined {
  const folder = fs.mkdtempSync(path.join(tmpdir(), "lockkeeper-acl-"));
  try {
    if (!letIn(folder, 7)) return "no python3, or no access control lists on this file system";
    const shown = spawnSync("/bin/ls", ["-ldn", folder], { encoding: "utf8" }).stdout;
    return shown.charAt(10) === "+" ? undefined : "this ls shows no access control lists";
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

const MISSING = why();

const OPENED = [
  [".", 7, ["stop", "a"]],
  ["..", 7, ["stop", "a"]],
  ["run", 7, ["stop", "a"]],
  ["profiles", 7, ["use", "a"]],
  ["profiles/a", 7, ["start", "a"]],
  ["registry.json", 6, ["use", "a"]],
  ["profiles/a/token", 6, ["token", "a"]],
  ["profiles/a/token", 4, ["start", "a"]],
] as const;

test.skipIf(MISSING !== undefined)(
  `security 7: what a list opens to another user is not trusted (${MISSING ?? "needs lists"})`,
  async () => {
    await withScratchHome(async ({ home, run, json }) => {
      await json(["create", "a"]);
      for (const [name, permissions, args] of OPENED) {
        const place = path.join(home, name);
        const { mode } = fs.statSync(place);
        expect(letIn(place, permissions)).toBe(true);
        const { status, stderr } = await run(args);
        expect({ name, status, stderr }).toEqual({
          name,
          status: 77,
          stderr: expect.stringContaining("unsafe path") as string,
        });
        // Closing the group's bits closes the list, as the hint says.
        fs.chmodSync(place, mode & 0o700);
      }
      expect((await run(["use", "a"])).status).toBe(0);
    });
  },
);
