/**
 * A real OpenClaw gateway with config, state and workspace of its own.
 *
 * Source: behaviour of OpenClaw 2026.9.6 as observed: it refuses to start without `gateway.mode`; it derives browser
 * control from base +2 and CDP from +11..+110; healthy after 5-9 s; on SIGTERM it drains for up to 315 s and its own
 * budget is 330 s.
 */
import { readIfPresent, replaceFile } from "@lockkeeper/core";
import type { GatewayKind } from "./gateway-kind.ts";

/** Its stop deadline leaves time for the whole drain. */
export const openclaw: GatewayKind = {
  name: "openclaw",
  span: 120,
  derived: [
    { name: "browser-control", first: 2, last: 2 },
    { name: "cdp", first: 11, last: 110 },
  ],
  health: { kind: "http", path: "/healthz", expect: "ok-body" },
  startTimeoutMs: 120_000,
  stopTimeoutMs: 330_000,
  launch: ({ manifest, port }) => {
    const [program = "openclaw", ...prefix] = manifest.command ?? [];
    return [program, ...prefix, "gateway", "run", "--port", String(port)];
  },
  environment: (manifest, port) => ({
    OPENCLAW_STATE_DIR: manifest.paths.state,
    OPENCLAW_CONFIG_PATH: manifest.paths.config,
    OPENCLAW_GATEWAY_PORT: String(port),
    // Its own restart would detach a successor from its keeper; with this it exits and the keeper starts it anew.
    OPENCLAW_NO_RESPAWN: "1",
  }),
  seed: async (manifest, token) => {
    if ((await readIfPresent(manifest.paths.config)) !== undefined) return;
    const seeded = {
      gateway: { mode: "local", port: manifest.port, bind: "loopback", auth: { mode: "token", token } },
      agents: { defaults: { workspace: manifest.paths.workspace } },
    };
    await replaceFile(manifest.paths.config, `${JSON.stringify(seeded, null, 2)}\n`);
  },
};
