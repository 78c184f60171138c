/**
 * Ports that an OpenClaw gateway derives from its base. Source: behaviour of OpenClaw 2026.9.6 and docs/tools/browser: MCP
 * apps on +1, browser control on +2, the relay of the browser extension on +10, Chrome DevTools on +11 to +110.
 */
import type { DerivedRange } from "../gateway-kind.ts";

/** In the order in which they are shown. */
export const DERIVED_PORTS: readonly DerivedRange[] = [
  { name: "mcp-apps", first: 1, last: 1 },
  { name: "browser-control", first: 2, last: 2 },
  { name: "extension-relay", first: 10, last: 10 },
  { name: "cdp", first: 11, last: 110 },
];

/** From the base to the last port that is derived from it. */
export const derivedLast: number = Math.max(...DERIVED_PORTS.map((range) => range.last));

/** How many DevTools ports there are. */
export const cdpSpan: number = Math.max(...DERIVED_PORTS.map(({ first, last }) => last - first + 1));
