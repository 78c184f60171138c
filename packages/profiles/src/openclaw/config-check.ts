/**
 * Finds faults of an OpenClaw config before the gateway starts; OpenClaw itself would end with a different, misleading
 * message.
 */
import path from "node:path";
import type { ConfigFault } from "../foreign-program.ts";
import type { Manifest } from "../manifest.ts";
import { splitCommand } from "./command-line.ts";
import { at, readConfigFile } from "./config-file.ts";
import { ownEnvFileNames } from "./gateway-port.ts";

/** Returns the faults, the worst first. `env`: the environment that the gateway will have. */
export async function checkConfig(
  { name, command, paths }: Manifest,
  env: Readonly<Record<string, string>>,
): Promise<readonly ConfigFault[]> {
  const validate = `lockkeeper exec ${name} -- openclaw config validate`;
  const roots = (env["OPENCLAW_INCLUDE_ROOTS"] ?? "").split(path.delimiter).filter((root) => path.isAbsolute(root));
  const config = await readConfigFile(paths.config, roots);
  if (config.verdict === "absent") {
    return [
      {
        kind: "broken",
        message: `there is no config: ${paths.config}`,
        hint: "Put it back, or set the gateway up again.",
      },
    ];
  }
  if (config.verdict === "damaged") {
    return [
      { kind: "broken", message: `the config cannot be read: ${config.fault}`, hint: `Mend it, then: ${validate}` },
    ];
  }
  const faults: ConfigFault[] = [];
  if (config.fault !== null)
    faults.push({ kind: "broken", message: `${paths.config}: ${config.fault}`, hint: validate });
  const unconfigured = splitCommand(command).flags.includes("--allow-unconfigured");
  if (at(config.document, "gateway", "mode") === undefined && !unconfigured) {
    faults.push({
      kind: "broken",
      message: `${paths.config} has no gateway.mode, without which OpenClaw does not start`,
      hint: `lockkeeper exec ${name} -- openclaw config set gateway.mode local`,
    });
  }
  const given = new Set([...Object.keys(env), ...ownEnvFileNames(paths.state), ...ownVariables(config.document)]);
  const missing = [...new Set(variablesIn(config.document))].filter((variable) => !given.has(variable));
  if (missing.length > 0) {
    faults.push({
      kind: "missing-variable",
      message: `${paths.config} names variables that the gateway will not have: ${missing.sort().join(", ")}`,
      hint: `Put them into ${paths.state}/.env, which OpenClaw reads itself, or give the profile an env file.`,
    });
  }
  return faults;
}

/** Source: OpenClaw 2026.9.6, src/config/env-substitution.ts: `${NAME}` in capitals; `$${NAME}` is the text itself. */
function* variablesIn(value: unknown): Generator<string> {
  if (typeof value === "string") {
    for (const [, escaped, name] of value.matchAll(/(\$?)\$\{([A-Z_][A-Z0-9_]*)\}/g)) {
      if (escaped === "" && name !== undefined) yield name;
    }
    return;
  }
  if (typeof value !== "object" || value === null) return;
  for (const inner of Object.values(value) as unknown[]) yield* variablesIn(inner);
}

/** The config may set variables itself: `env.vars.NAME`, or `env.NAME`. */
function ownVariables(document: unknown): readonly string[] {
  return [at(document, "env"), at(document, "env", "vars")].flatMap((found) =>
    typeof found === "object" && found !== null ? Object.keys(found) : [],
  );
}
