/**
 * Reads the file with our credentials for etcd: `{"user", "password", "ca", "cert", "key"}`, all optional. The last three are
 * paths of PEM files, absolute or beside the file. The file must be ours and readable by nobody else.
 */
import { shellCommand } from "../shell-quote.ts";
import { closeSync, fstatSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

import { fileError, LockkeeperError } from "../errors.ts";
import { bitsOfOthers } from "../storage/bits-of-others.ts";
import { belongsToAnother, openFile, openToOthers, unsafePath } from "../storage/private-file.ts";

/** What {@link readEtcdCredentials} found. */
export interface EtcdCredentials {
  readonly user?: { readonly name: string; readonly password: string };
  /** PEM texts. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

const KNOWN: ReadonlySet<string> = new Set(["user", "password", "ca", "cert", "key"]);

/**
 * Returns the credentials, with the PEM files read.
 *
 * @throws {LockkeeperError} UNSAFE_PATH when others can read the file, or it is not a plain file that we own.
 * @throws {LockkeeperError} CONFIG_DAMAGED when the file is missing or not as described above; the error never quotes its
 * content.
 */
export function readEtcdCredentials(path: string): EtcdCredentials {
  const value = parse(path, readPrivately(path));
  const text = (name: string): string | undefined => {
    const found = value[name];
    if (found === undefined || (typeof found === "string" && found !== "")) return found;
    throw damaged(path, `${name}: expected text`);
  };
  for (const name of Object.keys(value))
    if (!KNOWN.has(name)) throw damaged(path, `it knows no ${JSON.stringify(name)}`);
  const [user, password, cert, key] = ["user", "password", "cert", "key"].map(text);
  if ((user === undefined) !== (password === undefined)) throw damaged(path, "user and password go together");
  if ((cert === undefined) !== (key === undefined)) throw damaged(path, "cert and key go together");
  const pem = (file: string | undefined, read: (path: string) => string): string | undefined =>
    file === undefined ? undefined : read(resolve(dirname(path), file));
  const found = {
    user: user === undefined || password === undefined ? undefined : { name: user, password },
    ca: pem(text("ca"), readOpenly),
    cert: pem(cert, readOpenly),
    key: pem(key, readPrivately),
  };
  return Object.fromEntries(Object.entries(found).filter(([, each]) => each !== undefined));
}

function parse(path: string, text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // The parser's own message would quote the content.
  }
  throw damaged(path, "it is not a JSON object");
}

function readPrivately(path: string): string {
  let fd: number | undefined;
  try {
    fd = openFile(path, "read");
    if (fd === undefined) throw damaged(path, "it is missing");
    const stats = fstatSync(fd);
    if (stats.uid !== process.getuid?.()) throw unsafePath(path, belongsToAnother(stats), "Name a file of your own.");
    if (bitsOfOthers(stats, path) !== 0) {
      throw unsafePath(path, openToOthers(stats), `Close it: ${shellCommand("chmod", "600", path)}`);
    }
    return readFileSync(fd, "utf8");
  } catch (error) {
    throw fileError(error, "read the credentials", path);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function readOpenly(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw fileError(error, "read the certificate", path);
  }
}

function damaged(path: string, fact: string): LockkeeperError {
  return new LockkeeperError("CONFIG_DAMAGED", `credentials of the lease: ${path}: ${fact}`, {
    hint: `It holds {"user": "...", "password": "..."} and, for TLS, "ca", "cert" and "key" with paths of PEM files.`,
  });
}
