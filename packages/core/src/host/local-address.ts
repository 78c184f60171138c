/** Whether an IPv4 address is one of this host's, by the table with which the kernel itself decides on a bind. */
import { closeSync, openSync, readSync } from "node:fs";

/** Where to look; tests point it at a tree of their own. */
export interface AddressView {
  /** @default "/proc" */
  readonly procRoot?: string;
}

/** More than the table of a usual host. A router's has millions of lines, and we do not look for the address in all of them. */
const START_BYTES = 3_072;

/**
 * Returns whether the kernel's table has `host`, four decimal numbers, as a local address: then any port of it can be bound. False
 * also where the table is not shown, or does not show it early on.
 *
 * Source: net/ipv4/fib_trie.c, fib_trie_seq_show.
 */
export function isPlainlyLocal(host: string, { procRoot = "/proc" }: AddressView = {}): boolean {
  const text = `\n${startOf(`${procRoot}/net/fib_trie`)}`;
  // Main comes before Local, and usually says the same. A bind asks none of the others, `Id 100`, which may come before both.
  const main = text.indexOf("\nMain:\n");
  const from = main < 0 ? text.indexOf("\nLocal:\n") : main;
  if (from < 0) return false;
  const [tables = ""] = text.slice(from).split("\nId ", 1);
  // Routes to one address look alike but for these words.
  const [, entry = ""] = tables.split(`|-- ${host}\n`, 2);
  return entry.trimStart().startsWith("/32 host LOCAL");
}

function startOf(path: string): string {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    const buffer = Buffer.alloc(START_BYTES);
    return buffer.toString("latin1", 0, readSync(fd, buffer, 0, START_BYTES, null));
  } catch {
    return "";
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
