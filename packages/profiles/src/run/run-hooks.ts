/** The hooks of one profile, as its keeper calls them. Nothing here is loaded for a profile without hooks. */
import { LockkeeperError } from "@lockkeeper/core";
import { shownTarget } from "@lockkeeper/core/internal";
import type { HookPlan, HookTarget } from "@lockkeeper/core/internal";
import type { ProfilesContext } from "../context.ts";
import { buildChildEnvironment } from "../environment/child-environment.ts";
import { readEnvFile } from "../env-file.ts";
import { findProgram } from "./find-program.ts";
import type { Manifest } from "../manifest.ts";

/**
 * Returns the hooks and their environment: the allow-list, home and profile, without passed-on variables, and from the env
 * file only the addresses that hooks name. A hook that cannot be called does not prevent a start: it is reported when its
 * event comes.
 */
export async function runHooks(context: ProfilesContext, manifest: Manifest): Promise<HookPlan> {
  const { hooks = {}, name } = manifest;
  const secrets = Object.values(hooks).some((text) => text.startsWith("env:")) ? await valuesOf(manifest) : {};
  return {
    targets: Object.fromEntries(Object.entries(hooks).map(([event, text]) => [event, targetOf(text, secrets)])),
    env: buildChildEnvironment({
      from: context.env,
      pass: [],
      own: { LOCKKEEPER_HOME: context.home, LOCKKEEPER_PROFILE: name },
    }),
  };
}

/** Returns the hooks that could not be called now, each with the reason. Calls none. */
export async function findHookFaults(
  context: ProfilesContext,
  manifest: Manifest,
): Promise<readonly { readonly event: string; readonly fault: string }[]> {
  const { targets } = await runHooks(context, manifest);
  return Object.entries(targets).flatMap(([event, target]) => {
    const fault =
      target.kind === "unusable" ? target.fault : target.kind === "program" ? programFault(target.path) : null;
    return fault === null ? [] : [{ event, fault }];
  });
}

function programFault(file: string): string | null {
  try {
    findProgram(file, { cwd: "/", searchPath: undefined });
    return null;
  } catch (error) {
    if (error instanceof LockkeeperError) return error.message;
    throw error;
  }
}

/** Returns the values of the env file, or why it cannot be read. */
async function valuesOf({ envFile }: Manifest): Promise<Readonly<Record<string, string>> | string> {
  if (envFile === undefined) return "the profile has no env file (--env-file)";
  try {
    return await readEnvFile(envFile);
  } catch (error) {
    if (error instanceof LockkeeperError) return error.message;
    throw error;
  }
}

function targetOf(text: string, secrets: Readonly<Record<string, string>> | string): HookTarget {
  if (!text.startsWith("env:")) {
    return /^https?:/i.test(text)
      ? { kind: "url", url: text, shown: shownTarget(text) }
      : { kind: "program", path: text };
  }
  const unusable = (fault: string): HookTarget => ({ kind: "unusable", shown: text, fault });
  if (typeof secrets === "string") return unusable(secrets);
  const url = secrets[text.slice("env:".length)];
  if (url === undefined) return unusable("the env file has no such variable");
  // Only the name is shown, because even the host may be confidential.
  return /^https?:\/\//i.test(url) && URL.canParse(url)
    ? { kind: "url", url, shown: text }
    : unusable("the variable holds no http(s) URL");
}
