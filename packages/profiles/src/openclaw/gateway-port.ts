/**
 * The port of an OpenClaw gateway, as OpenClaw itself finds it; the one answer for `ports`, `create`, `discover`, `import` and
 * `doctor`. A living gateway's own record comes first: it states a fact, the rest is only a plan.
 *
 * Source: OpenClaw 2026.9.6, src/config/paths.ts, src/cli/profile.ts, src/infra/dotenv-global-core.ts: `--port`, then
 * OPENCLAW_GATEWAY_PORT from the environment, else from `<state>/.env` (for the default profile also from
 * `~/.config/openclaw/gateway.env`), then `gateway.port`, then 18789 for the default profile and
 * 20000 + FNV-1a(name) % 40000 for a named one; `--profile dev` means 19001
 * whatever `.env` and config say.
 */
import { DEFAULT_PORT } from "@lockkeeper/core";
import path from "node:path";
import type { Installation } from "../foreign-program.ts";
import { isPort } from "../port-number.ts";
import { readAssignments } from "../service-units/environment-file.ts";
import type { ServiceUnit } from "../service-units/service-units.ts";
import type { OpenClawConfig } from "./config-file.ts";

/** The sources from which a port is read. */
export interface PortClues {
  /** OpenClaw's name for the profile. */
  readonly profile: string;
  readonly stateDir: string;
  readonly userHome: string;
  readonly config: OpenClawConfig;
  readonly units: readonly ServiceUnit[];
  readonly records: Installation["records"];
}

/** Returns the port and where it was read; null for a config whose port makes no sense. */
export function gatewayPort(clues: PortClues): Pick<Installation, "port" | "portSource"> {
  const living = clues.records.find(({ owner, port, role }) => owner !== null && port !== null && role === "gateway");
  if (living !== undefined) return { port: living.port, portSource: "lock" };
  for (const unit of clues.units) {
    const port = unitPort(unit);
    if (port !== null) return { port, portSource: "unit" };
  }
  // `--profile dev` sets the variable itself, over its own files and over its config.
  if (clues.profile === "dev") return { port: defaultPort("dev"), portSource: "default" };
  const written = envFilePort(clues);
  if (written !== null) return { port: written, portSource: "env-file" };
  const { config, profile } = clues;
  if (config.port !== null) return { port: config.port, portSource: "config" };
  if (config.fault !== null || config.verdict === "absent") return { port: null, portSource: null };
  return { port: defaultPort(profile), portSource: "default" };
}

/** Returns the default port of a profile. Pure. */
export function defaultPort(profile: string): number {
  if (profile.toLowerCase() === "default") return DEFAULT_PORT;
  if (profile === "dev") return 19_001;
  // FNV-1a with 32 bits, over the UTF-8 bytes.
  let hash = 2_166_136_261;
  for (const byte of Buffer.from(profile, "utf8")) hash = Math.imul(hash ^ byte, 16_777_619) >>> 0;
  return 20_000 + (hash % 40_000);
}

/** Returns the port that `unit` gives to the gateway that it starts, or null. */
function unitPort({ argv, environment }: ServiceUnit): number | null {
  return portOf(flagValue(argv, "--port")) ?? portOf(environment["OPENCLAW_GATEWAY_PORT"]);
}

/** Returns the value of `--flag value` or `--flag=value`, the first one. Pure. */
export function flagValue(argv: readonly string[], flag: string): string | undefined {
  const index = argv.findIndex((argument) => argument === flag || argument.startsWith(`${flag}=`));
  if (index < 0) return undefined;
  return argv[index] === flag ? argv[index + 1] : argv[index]?.slice(flag.length + 1);
}

function envFilePort({ profile, stateDir, userHome }: PortClues): number | null {
  const files = [path.join(stateDir, ".env")];
  if (profile === "default") files.push(path.join(userHome, ".config", "openclaw", "gateway.env"));
  for (const file of files) {
    const port = portOf(readAssignments(file)["OPENCLAW_GATEWAY_PORT"]);
    if (port !== null) return port;
  }
  return null;
}

/** Returns the names that OpenClaw itself reads from files beside its config: a gateway has them wherever it is started. */
export function ownEnvFileNames(stateDir: string): readonly string[] {
  return Object.keys(readAssignments(path.join(stateDir, ".env")));
}

/** A bare number, or `host:port` as OpenClaw takes it too. */
function portOf(text: string | undefined): number | null {
  const digits = /^(?:(?:\[[^\]]+\]|[^:]+):)?(\d{1,5})$/.exec(text?.trim() ?? "")?.[1];
  return digits !== undefined && isPort(Number(digits)) ? Number(digits) : null;
}
