/**
 * Reads the settings of an OpenClaw config that matter to its neighbours: port, address, workspace. The format is JSON5, with
 * the parts that `$include` names. A config that does not parse is reported, never ignored. JSON5 is loaded only here.
 */
import { errnoOf } from "@lockkeeper/core/internal";
import { readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { isRecord } from "../json.ts";
import { isPort } from "../port-number.ts";

/** The settings of one config file; null where one is not set. */
export interface OpenClawConfig {
  /** `absent`: there is no such file. `damaged`: it is there and cannot be read; `fault` says why. */
  readonly verdict: "read" | "absent" | "damaged";
  /** A sentence for people, with file, line and column where it does not parse. */
  readonly fault: string | null;
  readonly port: number | null;
  /** `gateway.bind`: a word (`loopback`, `lan`, ...) or an address. */
  readonly bind: string | null;
  /** `gateway.customBindHost`, used with `bind: "custom"`. */
  readonly bindHost: string | null;
  /** `agents.defaults.workspace`, as written. */
  readonly workspace: string | null;
  /** The whole document with its parts, for callers that read single settings. */
  readonly document: unknown;
  /** The files that `$include` names, in reading order, missing ones included. */
  readonly parts: readonly string[];
}

const nothing = { port: null, bind: null, bindHost: null, workspace: null, document: undefined };

/** Source: OpenClaw 2026.9.6, src/config/includes.ts: 2 MiB a part, ten levels. Its own configs have a few KiB, and a few parts. */
const LIMITS = { fileBytes: 4 * 1_024 * 1_024, includeDepth: 10, parts: 256 };

/**
 * Returns the settings in `file`. Links are followed, because the file is OpenClaw's and is only read.
 *
 * @param roots other folders that may hold its parts, as OPENCLAW_INCLUDE_ROOTS names them. @default none
 */
export async function readConfigFile(file: string, roots: readonly string[] = []): Promise<OpenClawConfig> {
  const parts: string[] = [];
  try {
    const { default: json5 } = await import("json5");
    const document = new Reader([path.dirname(file), ...roots], parts, json5.parse).read(file, []);
    return { ...summarize(document), parts };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    if (error.missing && parts.length === 0) return { verdict: "absent", fault: null, ...nothing, parts };
    return { verdict: "damaged", fault: error.message, ...nothing, parts };
  }
}

/** Why a config cannot be read, as a sentence for people. */
class Unreadable extends Error {
  readonly missing: boolean;

  constructor(message: string, missing: boolean) {
    super(message);
    this.missing = missing;
  }
}

/**
 * Puts a config together from its parts. Source: OpenClaw 2026.9.6, src/config/includes.ts: a part lies in the folder of the
 * config or in one of the include roots (symbolic links followed), keys beside `$include` win, lists are joined.
 */
class Reader {
  readonly #folders: readonly string[];
  readonly #parts: string[];
  readonly #parse: (text: string) => unknown;

  constructor(folders: readonly string[], parts: string[], parse: (text: string) => unknown) {
    this.#folders = folders;
    this.#parts = parts;
    this.#parse = parse;
  }

  /** `chain`: the files that led here. */
  read(file: string, chain: readonly string[]): unknown {
    if (chain.length > LIMITS.includeDepth) throw new Unreadable(`$include goes deeper than 10 files: ${file}`, false);
    if (chain.includes(file)) throw new Unreadable(`$include leads back to ${file}`, false);
    return this.#expand(this.#parseFile(file), file, [...chain, file]);
  }

  #parseFile(file: string): unknown {
    let text: string;
    try {
      const stats = statSync(file);
      if (!stats.isFile() || stats.size > LIMITS.fileBytes) {
        throw new Unreadable(`${file}: not a plain file of a sensible size`, false);
      }
      text = readFileSync(file, "utf8");
    } catch (error) {
      if (error instanceof Unreadable) throw error;
      const errno = errnoOf(error) ?? "unknown error";
      throw new Unreadable(`${file}: ${errno}`, errno === "ENOENT");
    }
    try {
      return this.#parse(text);
    } catch (error) {
      throw new Unreadable(describeSyntaxError(file, error), false);
    }
  }

  #expand(value: unknown, file: string, chain: readonly string[]): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#expand(item, file, chain));
    if (!isRecord(value)) return value;
    const own = Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => key !== "$include")
        .map(([key, inner]) => [key, this.#expand(inner, file, chain)]),
    );
    if (!Object.hasOwn(value, "$include")) return own;
    const included = value["$include"];
    const named: readonly unknown[] = Array.isArray(included) ? included : [included];
    const merged = named
      .map((each) => this.#include(each, file, chain))
      .reduce(merge, Array.isArray(included) ? {} : undefined);
    return Object.keys(own).length === 0 ? merged : merge(merged, own);
  }

  #include(named: unknown, file: string, chain: readonly string[]): unknown {
    if (typeof named !== "string") throw new Unreadable(`${file}: $include is ${JSON.stringify(named)}`, false);
    const part = path.resolve(path.dirname(file), named);
    const lexical = this.#folders.some((folder) => isInside(part, folder));
    if (!lexical || !this.#folders.some((folder) => isInside(realOrSame(part), realOrSame(folder)))) {
      throw new Unreadable(`${file}: $include leads out of ${this.#folders[0]} and is not followed: ${named}`, false);
    }
    // The number of files is bounded too: ten levels of files that each name many would never end.
    if (this.#parts.length >= LIMITS.parts) throw new Unreadable(`${file}: more than ${LIMITS.parts} parts`, false);
    this.#parts.push(part);
    return this.read(part, chain);
  }
}

/** Objects are merged key by key and lists are joined; otherwise the second value wins. */
function merge(first: unknown, second: unknown): unknown {
  if (Array.isArray(first) && Array.isArray(second)) return [...(first as unknown[]), ...(second as unknown[])];
  if (!isRecord(first) || !isRecord(second)) return second;
  const merged: Record<string, unknown> = { ...first };
  for (const [key, value] of Object.entries(second)) {
    if (key === "__proto__") continue;
    merged[key] = Object.hasOwn(first, key) ? merge(first[key], value) : value;
  }
  return merged;
}

function describeSyntaxError(file: string, error: unknown): string {
  const { lineNumber, columnNumber } = error as { lineNumber?: unknown; columnNumber?: unknown };
  const text =
    error instanceof Error ? error.message.replace(/^JSON5: /, "").replace(/ at \d+:\d+$/, "") : String(error);
  return typeof lineNumber === "number" && typeof columnNumber === "number"
    ? `${file}:${lineNumber}:${columnNumber}: ${text}`
    : `${file}: ${text}`;
}

function summarize(document: unknown): Omit<OpenClawConfig, "parts"> {
  const port = at(document, "gateway", "port");
  return {
    verdict: "read",
    fault: port === undefined || isPort(port) ? null : `gateway.port is ${JSON.stringify(port)}`,
    port: isPort(port) ? port : null,
    bind: textOf(at(document, "gateway", "bind")),
    bindHost: textOf(at(document, "gateway", "customBindHost")),
    workspace: textOf(at(document, "agents", "defaults", "workspace")),
    document,
  };
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function isInside(file: string, folder: string): boolean {
  return file.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep);
}

function realOrSame(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

/** Returns the value in `document` under `keys`, or undefined. Pure. */
export function at(document: unknown, ...keys: readonly string[]): unknown {
  let value = document;
  for (const key of keys) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
