/** `import openclaw`: adopts gateways in place. A running one goes on under its own manager. */
import { LockkeeperError } from "@lockkeeper/core";
import type { ImportReport } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Failure, Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { absolutePath, atEquals } from "../profile-arguments.ts";
import { paintState } from "../status-table.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["import"]>;

export async function run(context: Context, given: Arguments): Promise<Result> {
  const { world } = context;
  const profiles = await context.openProfiles();
  const { stop: signal } = world.interruption();
  const report = await profiles.importGateways(given.program, {
    name: given.name,
    all: given.all,
    as: given.as,
    stateDir: absolutePath(given.stateDir, world.cwd),
    port: given.port,
    env: Object.fromEntries(given.env.filter((each) => each.includes("=")).map(atEquals)),
    passEnv: given.env.filter((each) => !each.includes("=")),
    envFile: absolutePath(given.envFile, world.cwd),
    argv: given.rest,
    protected: given.protected,
    signal,
  });
  const failures = report.refused.map(({ from, code, message, hint }): Failure => ({
    name: from,
    error: new LockkeeperError(code, message, { hint }),
  }));
  return { value: report, failures, notes: nextSteps(report) };
}

export function render({ imported, already }: ImportReport, { paint, quiet }: View): string {
  if (quiet) return imported.map(({ status }) => `${status.name}\n`).join("");
  const news = imported.map(({ from, status, portSource }) => {
    const port = `port ${status.port}${portSource === null ? "" : ` (from the ${portSource})`}`;
    const state = paintState(status.state, paint)(status.state);
    const pid = status.pid === null ? "" : `, pid ${status.pid}`;
    return `${plainLine(from)} imported as ${paint.bold(status.name)}: ${port}, ${state}${pid}\n`;
  });
  return (
    news.join("") + already.map(({ from, profile }) => `${plainLine(from)} is here already: ${profile}\n`).join("")
  );
}

function nextSteps({ imported, already, refused }: ImportReport): readonly string[] {
  if (imported.length + already.length + refused.length === 0) return ["Nothing to import: lockkeeper discover"];
  return imported.flatMap(({ status: { name, state }, notes }) => [
    ...notes.map((note) => `${name}: ${plainLine(note)}`),
    ...(state === "external"
      ? [`${name} goes on under its own manager. To change that: lockkeeper takeover ${name}`]
      : []),
  ]);
}
