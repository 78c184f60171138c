/** The built-in gateway: core's HTTP + WebSocket host as a program of its own. */
import type { GatewayKind } from "../gateway-kind.ts";

/** WebSocket JSON-RPC with topics; nothing to install, nothing to configure. */
export const builtin: GatewayKind = {
  name: "builtin",
  span: 10,
  derived: [],
  health: { kind: "http", path: "/healthz", expect: "ok-body" },
  announces: true,
  startTimeoutMs: 30_000,
  stopTimeoutMs: 10_000,
  end: "all",
  launch: ({ gatewayProgram }) => [process.execPath, gatewayProgram],
  environment: () => ({}),
  // Its config is optional: the gateway uses the defaults until `config set` writes the file.
  seed: async () => undefined,
};
