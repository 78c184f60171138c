/**
 * Parses the profile options of `create` and `edit`; the facade checks their values. Pure.
 */
import path from "node:path";
import { LockkeeperError } from "@lockkeeper/core";
import { shownTarget } from "@lockkeeper/core/internal";
import type { CreateOptions } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "./command-line/command.ts";
import type { COMMANDS } from "./command-line/commands.ts";

type ProfileArguments = Omit<ArgumentsOf<(typeof COMMANDS)["create"]>, "name" | "kind">;

/**
 * Returns the request for the facade; options that were not given are absent. Relative paths count from `cwd`, which is read
 * only for them.
 *
 * @throws {LockkeeperError} OPTION_INVALID, USAGE.
 */
export function toProfileOptions(given: ProfileArguments, cwd: () => string): Omit<CreateOptions, "name" | "kind"> {
  const variables = given.env.filter((variable) => variable.includes("="));
  const passed = given.env.filter((variable) => !variable.includes("="));
  return {
    argv: given.rest,
    port: given.port,
    span: given.span,
    host: given.host,
    cwd: absolutePath(given.cwd, cwd),
    env: variables.length === 0 ? undefined : Object.fromEntries(variables.map(atEquals)),
    passEnv: passed.length === 0 ? undefined : passed,
    envFile: absolutePath(given.envFile, cwd),
    portEnv: given.noPortEnv ? false : undefined,
    extraPorts: given.extraPort.length === 0 ? undefined : Object.fromEntries(given.extraPort.map(toExtraPort)),
    health: given.health,
    scheme: given.scheme,
    stopTimeoutMs: given.stopTimeout,
    end: given.end,
    groups: given.group.length === 0 ? undefined : given.group,
    after: given.after.length === 0 ? undefined : given.after,
    memoryRestartBytes: given.memoryRestart,
    memoryMaxBytes: given.memoryMax,
    restartUnresponsiveMs: given.restartUnresponsive,
    hooks: given.hook.length === 0 ? undefined : toHooks(given.hook),
    lease: given.lease,
    protected: given.protected ? true : undefined,
  };
}

/** Returns the absolute path; `cwd` may throw, and is called only for a relative path. */
export function absolutePath(file: string | undefined, cwd: () => string): string | undefined {
  return file === undefined || path.isAbsolute(file) ? file : path.resolve(cwd(), file);
}

/** Returns the parts before and after the first `=`; a value may contain more of them. */
export function atEquals(text: string): readonly [name: string, value: string] {
  const equals = text.indexOf("=");
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function toExtraPort(text: string): readonly [name: string, offset: number] {
  const [, name, offset] = /^([a-z][a-z0-9-]*)=\+(\d{1,5})$/i.exec(text) ?? [];
  if (name !== undefined) return [name, Number(offset)];
  throw new LockkeeperError("OPTION_INVALID", `--extra-port takes name=+N, not ${JSON.stringify(text)}`, {
    hint: "For example: --extra-port metrics=+1",
  });
}

function toHooks(texts: readonly string[]): Readonly<Record<string, string>> {
  const hooks = new Map<string, string>();
  for (const text of texts) {
    if (!text.includes("=")) {
      throw new LockkeeperError(
        "OPTION_INVALID",
        `--hook takes event=program or event=URL, not ${JSON.stringify(shownTarget(text))}`,
        {
          hint: "For example: --hook failed=/usr/local/bin/tell-me",
        },
      );
    }
    const [event, target] = atEquals(text);
    if (hooks.has(event)) {
      throw new LockkeeperError("USAGE", `--hook was given twice for ${event}`, {
        hint: "Give it once for each event.",
      });
    }
    hooks.set(event, target);
  }
  return Object.fromEntries(hooks);
}
