/**
 * `open`: shows a gateway's web page in the browser. The token is passed by a page that only this user can read and that is
 * removed after half a minute, never by an argument, which other users could see.
 */
import { spawn } from "node:child_process";
import { LockkeeperError } from "@lockkeeper/core";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Result } from "../command-module.ts";
import type { Context } from "../context.ts";
import { chooseTarget } from "../targets.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["open"]>;

/** A browser has read the page by then. */
const PAGE_LIFE_MS = 30_000;

interface Opened {
  readonly name: string;
  readonly url: string;
  /** Whether a browser was started. */
  readonly opened: "yes" | "no";
}

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const name = await chooseTarget(context, profiles, given.name, given.profile);
  const { page, fragment, state } = await profiles.access(name);
  if (page === null) {
    throw new LockkeeperError("OPTION_INVALID", `${name} has no web page`, { hint: `lockkeeper url ${name}` });
  }
  const notes = state === "running" || state === "external" ? [] : [`${name} is ${state}: lockkeeper start ${name}`];
  const opener = browserOpener(context.world.env, context.world.runtime.platform);
  const opened = opener !== undefined && !context.json && (await show(context, opener, page, fragment));
  const value: Opened = { name, url: page, opened: opened ? "yes" : "no" };
  if (!opened && fragment !== null) notes.push(`It asks for a token: lockkeeper token ${name}`);
  return { value, notes };
}

export function render({ url }: Opened): string {
  return `${url}\n`;
}

/** The program that shows a page on this machine; undefined where nobody would see it. */
function browserOpener(env: NodeJS.ProcessEnv, platform: string): string | undefined {
  if (env["BROWSER"]) return env["BROWSER"];
  if (platform.startsWith("darwin")) return "open";
  return env["DISPLAY"] || env["WAYLAND_DISPLAY"] ? "xdg-open" : undefined;
}

async function show(context: Context, opener: string, page: string, fragment: string | null): Promise<boolean> {
  if (fragment === null) return launch(opener, page, context.world.env);
  const profiles = await context.openProfiles();
  const { stop } = context.world.interruption();
  const file = await profiles.writeHandoverPage(`${page}${fragment}`);
  try {
    if (!(await launch(opener, file, context.world.env))) return false;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PAGE_LIFE_MS);
      stop.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    });
    return true;
  } finally {
    await profiles.removeHandoverPage(file);
  }
}

/** Returns whether the program was started; it is not watched any further. */
function launch(program: string, target: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, [target], { env, detached: true, stdio: "ignore" });
    child.once("error", () => resolve(false));
    child.once("spawn", () => {
      child.unref();
      resolve(true);
    });
  });
}
