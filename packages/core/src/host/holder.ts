/**
 * Names a process for people: by program and script, never by its other arguments, because any of them may be a secret. Such
 * names end up in logs, histories and bug reports, which others may read. Pure.
 */
import { basename } from "node:path";
import type { Holder } from "./listener.ts";

/** Interpreters: their script is the program that people know. */
const INTERPRETER = /^(?:node|nodejs|bun|deno|python[\d.]*|pypy[\d.]*|ruby|perl|php[\d.]*|java|(?:ba|da|z|k|fi)?sh)$/;
/** A script after the options of its interpreter. */
const SCRIPT = /^[^-\s=][^\s=]*\.(?:[cm]?[jt]s|py|rb|pl|php|sh|jar)$/;
/** Options whose value is a file, but not the script. */
const PRELOAD = /^(?:-r|--require|--import|--(?:experimental-)?loader)$/;
/** `-m MODULE` of python; a module's name is not a secret. */
const MODULE = /^[A-Za-z_][\w.]*$/;
/** The longest text for one process. */
const LONGEST = 200;

/**
 * Returns `node /srv/app/server.js`: the program, and the script or module that it runs, without all other arguments.
 *
 * @param argv as it was started; for a process that renamed itself a single text, of which the first word counts.
 */
export function shownCommand(argv: readonly string[]): string {
  const [first = "", ...rest] = argv;
  const [program = ""] = first.trim().split(/\s/u, 1);
  const script = INTERPRETER.test(basename(program)) ? scriptAmong(rest) : undefined;
  return [program, ...(script ?? [])].join(" ").slice(0, LONGEST);
}

function scriptAmong(rest: readonly string[]): readonly string[] | undefined {
  const [first = "", second = ""] = rest;
  if (first === "-m" && MODULE.test(second)) return [first, second];
  // `-c` or `-e` is followed by program text.
  if (/^-[a-z]*[ce]$/.test(first)) return undefined;
  const script =
    first !== "" && !/^-|[\s=]/u.test(first)
      ? first
      : rest.find((word, at) => SCRIPT.test(word) && !PRELOAD.test(rest[at - 1] ?? ""));
  return script === undefined ? undefined : [script];
}

/** A holder as far as it is visible. */
export type SeenHolder = Readonly<Record<keyof Holder, Holder[keyof Holder] | null>>;

/** Returns `pid 12 (node server.js), user ann`, or that the owner is not visible. */
export function describeHolder(holder: SeenHolder | null | undefined): string {
  if (holder === null || holder === undefined || holder.pid === null) return "owner not visible";
  return `pid ${holder.pid} (${holder.command}), user ${holder.user}`;
}
