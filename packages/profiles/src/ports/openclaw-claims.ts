/**
 * Which ports the OpenClaw installations of this user claim, whether they run or not. Their files are read and never
 * changed. A config that cannot be read claims what its profile would use by default: better a gap than a collision.
 *
 * Source: behaviour of OpenClaw 2026.9.6 and https://docs.openclaw.ai/tools/browser: browser control on base +2, CDP on
 * base +11..+110, `browser.cdpPortRangeStart`, `browser.cdpUrl`, `browser.profiles.<name>.cdpPort` and `.cdpUrl`.
 */
import { basename, join } from "node:path";
import { at, readOpenClawConfig } from "../openclaw/openclaw-config.ts";
import { openClawDefaultPorts, readOpenClawFolders } from "../openclaw/openclaw-folders.ts";
import { openclaw } from "../kinds/openclaw.ts";
import type { Manifest } from "../manifest.ts";
import { highestPort, isPort } from "../port-number.ts";
import type { PortClaim, PortRange } from "./port-plan.ts";

/** From the base of an OpenClaw gateway to the last port that it derives. */
const derivedLast = Math.max(...openclaw.derived.map((range) => range.last));
const cdp = openclaw.derived.find((range) => range.name === "cdp");
const cdpSpan = cdp === undefined ? 1 : cdp.last - cdp.first + 1;

/** Returns the claims of every OpenClaw installation under `userHome`. */
export async function readOpenClawClaims(userHome: string): Promise<readonly PortClaim[]> {
  const claims: PortClaim[] = [];
  for (const { name, stateDir } of readOpenClawFolders(userHome)) {
    const config = await readOpenClawConfig(join(stateDir, "openclaw.json"));
    if (config.verdict === "absent") continue;
    claims.push(...claimsOf(`~/${basename(stateDir)}`, config.document, openClawDefaultPorts.get(name)));
  }
  return claims;
}

/** Returns what a config says that its gateway and its browsers will open. Pure. */
export function claimsOf(owner: string, config: unknown, defaultPort: number | undefined): readonly PortClaim[] {
  const base = at(config, "gateway", "port") ?? defaultPort;
  const own = isPort(base) ? [rangeFrom("gateway and derived ports", base, derivedLast + 1)] : [];
  return [...own, ...overridesIn(config)].map((range): PortClaim => ({ ...range, by: "openclaw", owner }));
}

/** Returns what the configs of OpenClaw profiles of ours put outside of their blocks. */
export async function readOverrideClaims(manifests: Iterable<Manifest>): Promise<readonly PortClaim[]> {
  const claims: PortClaim[] = [];
  for (const { kind, name, port, span, paths } of manifests) {
    if (kind !== "openclaw") continue;
    const { document } = await readOpenClawConfig(paths.config);
    const outside = overridesIn(document).filter(({ first, last }) => first < port || last >= port + span);
    claims.push(...outside.map((range): PortClaim => ({ ...range, by: "profile", owner: name })));
  }
  return claims;
}

type LabelledRange = PortRange & { readonly label: string };

/** The ports that a config names for browsers, in place of those derived from the base. */
function overridesIn(config: unknown): readonly LabelledRange[] {
  const found: LabelledRange[] = [];
  const add = (label: string, first: unknown, length = 1): void => {
    if (isPort(first)) found.push(rangeFrom(label, first, length));
  };
  const browser = at(config, "browser");
  add("browser.cdpPortRangeStart", at(browser, "cdpPortRangeStart"), cdpSpan);
  add("browser.cdpUrl", loopbackPort(at(browser, "cdpUrl")));
  const profiles = at(browser, "profiles");
  for (const [name, profile] of Object.entries(profiles ?? {})) {
    add(`browser.profiles.${name}.cdpPort`, at(profile, "cdpPort"));
    add(`browser.profiles.${name}.cdpUrl`, loopbackPort(at(profile, "cdpUrl")));
  }
  return found;
}

function rangeFrom(label: string, first: number, length: number): LabelledRange {
  return { label, first, last: Math.min(first + length - 1, highestPort) };
}

function loopbackPort(value: unknown): number | undefined {
  if (typeof value !== "string" || !URL.canParse(value)) return undefined;
  const { hostname, port } = new URL(value);
  const loopback = hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
  return loopback && port !== "" ? Number(port) : undefined;
}
