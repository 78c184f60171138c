/**
 * The door of everything that knows OpenClaw: its gateway as one kind among the others, with its own config, state and
 * workspace, and the answers that only OpenClaw has, loaded when they are needed.
 *
 * Source: behaviour of OpenClaw 2026.9.6 as observed: it refuses to start without `gateway.mode`; `/healthz` answers 200 when
 * it lives, `/startupz` when it has started, after 5-9 s on an idle machine; on SIGTERM it drains for up to 315 s and its own
 * budget is 330 s.
 */
import { isWildcardHost, readIfPresentSync, replaceFile } from "@lockkeeper/core/internal";
import type { Argv, GatewayKind } from "../gateway-kind.ts";
import type { Manifest } from "../manifest.ts";
import { splitCommand } from "./command-line.ts";
import { DERIVED_PORTS } from "./derived-ports.ts";
import { readLockRecords } from "./lock-records.ts";

/** The stop deadline leaves time for the whole drain. */
export const openclaw: GatewayKind = {
  name: "openclaw",
  // Its browsers keep there what they draw.
  sharedMemoryGiB: 1,
  hostSetting: "gateway.bind",
  span: 120,
  derived: DERIVED_PORTS,
  health: { kind: "http", path: "/healthz", expect: "ok-body" },
  // A version that does not know this path has started as soon as it answers at all.
  readiness: { kind: "http", path: "/startupz", expect: "not-5xx" },
  startTimeoutMs: 120_000,
  stopTimeoutMs: 330_000,
  stopNote: "OpenClaw drains its work",
  end: "group",
  launch: ({ manifest, port }) => {
    const { program, flags } = splitCommand(manifest.command);
    return [...program, "gateway", "run", "--port", String(port), ...flags] as unknown as Argv;
  },
  environment: (manifest, port) => ({
    // OpenClaw puts its log and some of its paths under the profile's name; an adopted gateway keeps its old name.
    OPENCLAW_PROFILE: profileName(manifest),
    OPENCLAW_STATE_DIR: manifest.paths.state,
    OPENCLAW_CONFIG_PATH: manifest.paths.config,
    OPENCLAW_GATEWAY_PORT: String(port),
    // Its own restart then goes on within its process, instead of leaving a detached successor.
    OPENCLAW_NO_RESPAWN: "1",
    // Its own `gateway stop`, `install` and `restart` then name the supervisor instead of acting behind its back.
    OPENCLAW_SUPERVISOR_MODE: "external",
  }),
  ownVariables: {
    prefix: "OPENCLAW_",
    // Listed for shells, which can unset a variable only by its name.
    known: [
      "OPENCLAW_AGENT_DIR",
      "OPENCLAW_CONFIG_PATH",
      "OPENCLAW_CONFIG_READONLY",
      "OPENCLAW_CONTAINER",
      "OPENCLAW_GATEWAY_PASSWORD",
      "OPENCLAW_GATEWAY_PORT",
      "OPENCLAW_GATEWAY_TOKEN",
      "OPENCLAW_GATEWAY_URL",
      "OPENCLAW_HOME",
      "OPENCLAW_INCLUDE_ROOTS",
      "OPENCLAW_NO_RESPAWN",
      "OPENCLAW_OAUTH_DIR",
      "OPENCLAW_PROFILE",
      "OPENCLAW_SKIP_CHANNELS",
      "OPENCLAW_STATE_DIR",
      "OPENCLAW_SUPERVISOR_MODE",
      "OPENCLAW_SYSTEMD_UNIT",
      "OPENCLAW_WORKSPACE_DIR",
    ],
  },
  clientProgram: ({ command }, name) => (name === "openclaw" ? splitCommand(command).program : undefined),
  remembersPaths: "yes",
  records: ({ state }) => readLockRecords(state),
  seed: async (manifest, token) => {
    if (readIfPresentSync(manifest.paths.config) !== undefined) return;
    const seeded = {
      gateway: { mode: "local", port: manifest.port, ...bindOf(manifest.host), auth: { mode: "token", token } },
      agents: { defaults: { workspace: manifest.paths.workspace } },
    };
    await replaceFile(manifest.paths.config, `${JSON.stringify(seeded, null, 2)}\n`);
  },
  foreign: async () => (await import("./program.ts")).openClawProgram,
};

/** Source: docs/gateway/config-gateway: `bind` is a word; an address other than loopback or all is a setting of its own. */
function bindOf(host: string): Readonly<Record<string, string>> {
  if (isWildcardHost(host)) return { bind: "lan" };
  return /^(?:127\.0\.0\.1|::1|localhost)$/.test(host)
    ? { bind: "loopback" }
    : { bind: "custom", customBindHost: host };
}

/** A default profile has no name of its own in OpenClaw, and its log file none either. */
function profileName({ name, env, paths }: Manifest): string {
  return env?.["OPENCLAW_PROFILE"] ?? (paths.state.startsWith(paths.profile) ? name : "default");
}
