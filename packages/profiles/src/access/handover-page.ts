/**
 * A page that hands a token to a browser. The token is not in an argument, which every user of the host could read, but in a
 * short-lived file that only we can read. The page redirects with the token in the fragment, which is sent to no server.
 */
import { ensurePrivateDirectory, replaceFile } from "@lockkeeper/core/internal";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import path from "node:path";
import { entriesOf } from "../directory-entries.ts";
import { homePaths } from "../profile-paths.ts";

const PAGE_NAME = /^open-[0-9a-f]{16}\.html$/;

/** Writes the page into the home and returns its path; removes the pages of killed runs. */
export async function writeHandoverPage(home: string, target: string): Promise<string> {
  const { run } = homePaths(home);
  ensurePrivateDirectory(run);
  for (const entry of entriesOf(run)) if (PAGE_NAME.test(entry)) rmSync(path.join(run, entry), { force: true });
  const file = path.join(run, `open-${randomBytes(8).toString("hex")}.html`);
  // JSON in a script: `<` would end it.
  const address = JSON.stringify(target).replaceAll("<", "\\u003c");
  await replaceFile(
    file,
    `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>lockkeeper</title><script>location.replace(${address})</script>\n`,
  );
  return file;
}

/** On return the page is gone. */
export function removeHandoverPage(file: string): void {
  rmSync(file, { force: true });
}
