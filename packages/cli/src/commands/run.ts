/** `run`: the keeper in the foreground. The first signal stops the gateway, the second one forces it. */
import { gatewayUrl } from "@lockkeeper/core";
import type { RunRecord } from "@lockkeeper/core";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["run"]>;

/** systemd tells a service's main process who it is. Source: systemd.exec(5), SYSTEMD_EXEC_PID. */
const isMainProcessOfUnit = ({ world: { env, pid } }: Context): boolean => env["SYSTEMD_EXEC_PID"] === String(pid);

export async function run(context: Context, { name, supervised, quiet }: Arguments): Promise<Result> {
  const { world } = context;
  const { stop, force } = world.interruption();
  const profiles = await context.openProfiles();
  const report = (record: RunRecord): void => {
    if (context.json) world.stdout.write(`${JSON.stringify(record)}\n`);
    else context.progress.update(name, describeRecord(record));
  };
  const { outcome, detail, record } = await profiles.run(name, {
    supervised: supervised || isMainProcessOfUnit(context),
    stop,
    force,
    report,
  });
  if (context.json) world.stdout.write(`${JSON.stringify({ outcome, detail, record })}\n`);
  else if (!quiet) world.stderr.write(`${name}: ${outcome.replaceAll("-", " ")}: ${detail}\n`);
  return { value: undefined, status: STATUS_OF_OUTCOME[outcome] };
}

/** Everything was written as it happened. */
export function render(): string {
  return "";
}

const STATUS_OF_OUTCOME = { stopped: 0, "left-in-control": 0, failed: 1, blocked: 78 } as const;

function describeRecord({ state, reason, host, port, gateway }: RunRecord): string {
  const facts: string[] = [state];
  if (state === "running") facts.push(gatewayUrl(host, port));
  if (state === "running" && gateway !== null) facts.push(`pid ${gateway.pid}`);
  if (reason !== null) facts.push(reason);
  return facts.join(", ");
}
