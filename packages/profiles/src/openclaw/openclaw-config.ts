/**
 * What an OpenClaw config says that matters to its neighbours: port, address, workspace. Read only, JSON5, loaded only
 * here. A config that does not parse is reported, never judged away.
 */
import { errnoOf } from "@lockkeeper/core";
import { readFileSync, statSync } from "node:fs";
import { isPort } from "../port-number.ts";

/** What was read of one config file; null where it does not say. */
export interface OpenClawConfig {
  /** `absent`: there is no such file. `damaged`: it is there and cannot be read; `fault` says why. */
  readonly verdict: "read" | "absent" | "damaged";
  readonly fault: string | null;
  readonly port: number | null;
  /** `gateway.bind`: a word (`loopback`, `lan`, ...) or an address. */
  readonly bind: string | null;
  /** `agents.defaults.workspace`, as written. */
  readonly workspace: string | null;
  /** The whole document, for `config get`. */
  readonly document: unknown;
}

const nothing = { fault: null, port: null, bind: null, workspace: null, document: undefined };

/** Its own configs have a few KiB. */
const configBytes = 4 * 1_024 * 1_024;

/** Returns what the config at `file` says. Links are followed: it is their file, and it is only read. */
export async function readOpenClawConfig(file: string): Promise<OpenClawConfig> {
  let text: string;
  try {
    const stats = statSync(file);
    if (!stats.isFile() || stats.size > configBytes) return damaged("not a plain file of a sensible size");
    text = readFileSync(file, "utf8");
  } catch (error) {
    const errno = errnoOf(error) ?? "unknown error";
    return errno === "ENOENT" ? { verdict: "absent", ...nothing } : damaged(errno);
  }
  try {
    const { default: json5 } = await import("json5");
    return summarize(json5.parse(text));
  } catch (error) {
    return damaged(error instanceof Error ? error.message.replace(/^JSON5: /, "") : String(error));
  }
}

function summarize(document: unknown): OpenClawConfig {
  const port = at(document, "gateway", "port");
  const bind = at(document, "gateway", "bind");
  const workspace = at(document, "agents", "defaults", "workspace");
  return {
    verdict: "read",
    fault: port === undefined || isPort(port) ? null : `gateway.port is ${JSON.stringify(port)}`,
    port: isPort(port) ? port : null,
    bind: typeof bind === "string" ? bind : null,
    workspace: typeof workspace === "string" && workspace !== "" ? workspace : null,
    document,
  };
}

function damaged(fault: string): OpenClawConfig {
  return { verdict: "damaged", ...nothing, fault };
}

/** Returns what `document` holds under `keys`, or undefined. Pure. */
export function at(document: unknown, ...keys: readonly string[]): unknown {
  let value = document;
  for (const key of keys) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
