/** Any program after `--`: an exact argv with placeholders, run without a shell. */
import { LockkeeperError } from "@lockkeeper/core";
import type { Manifest } from "../manifest.ts";
import { fillTemplate, templateValues } from "./argv-template.ts";
import type { GatewayKind } from "../gateway-kind.ts";

/** Judged by whether its port listens, unless `--health` says more. */
export const command: GatewayKind = {
  name: "command",
  span: 10,
  derived: [],
  health: { kind: "tcp" },
  startTimeoutMs: 30_000,
  stopTimeoutMs: 10_000,
  end: "group",
  launch: ({ manifest, port }) => {
    const values = templateValues(manifest, port);
    const [program, ...rest] = manifest.command ?? [];
    if (program === undefined) {
      throw new LockkeeperError("OPTION_INVALID", `profile ${manifest.name} has no command to run`, {
        hint: `Create it with one: lockkeeper create ${manifest.name} -- node server.js --port {port}`,
      });
    }
    return [fillTemplate(program, values), ...rest.map((argument) => fillTemplate(argument, values))];
  },
  environment: () => ({}),
  seed: async () => undefined,
};

/** Returns `PORT` and `HOST`, which tell most servers where to listen; nothing for a profile without them. */
export function portVariables({ kind, host, portEnv }: Manifest, port: number): Readonly<Record<string, string>> {
  return kind === "command" && portEnv !== false ? { PORT: String(port), HOST: host } : {};
}
