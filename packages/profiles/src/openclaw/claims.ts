/**
 * The ports that an OpenClaw gateway claims: its own, the derived ones, and those that its config gives to browsers and
 * channels. The last are the same for every profile that does not set them. Pure.
 *
 * Source: OpenClaw 2026.9.6, docs/tools/browser, docs/channels/*, docs/plugins/voice-call, docs/gateway/config-hooks.
 */
import type { ClaimedRange } from "../foreign-program.ts";
import { isRecord } from "../json.ts";
import { HIGHEST_PORT, isPort } from "../port-number.ts";
import { at } from "./config-file.ts";
import { cdpSpan, derivedLast } from "./derived-ports.ts";

/** Returns everything that a gateway with this config claims on `base`. */
export function claimedRanges(document: unknown, base: number): readonly ClaimedRange[] {
  return [rangeFrom("gateway and derived ports", base, derivedLast + 1), ...extraRanges(document)];
}

/** Returns the ports that the config itself names, in place of or beside those derived from the base. */
export function extraRanges(document: unknown): readonly ClaimedRange[] {
  return [...browserRanges(at(document, "browser")), ...channelRanges(document)];
}

function browserRanges(browser: unknown): readonly ClaimedRange[] {
  const found: ClaimedRange[] = [];
  const add = (label: string, first: unknown, length = 1): void => {
    if (isPort(first)) found.push(rangeFrom(label, first, length));
  };
  add("browser.cdpPortRangeStart", at(browser, "cdpPortRangeStart"), cdpSpan);
  add("browser.cdpUrl", loopbackPort(at(browser, "cdpUrl")));
  for (const [name, profile] of Object.entries(at(browser, "profiles") ?? {})) {
    add(`browser.profiles.${name}.cdpPort`, at(profile, "cdpPort"));
    add(`browser.profiles.${name}.cdpUrl`, loopbackPort(at(profile, "cdpUrl")));
  }
  return found;
}

/** A listener that a channel or plugin opens: where it is configured, and its default port. */
interface ChannelListener {
  readonly place: readonly string[];
  /** It opens a port only when one of these keys is set. */
  readonly needs?: readonly string[];
  readonly port: readonly string[];
  readonly usual: number;
}

const CHANNEL_LISTENERS: readonly ChannelListener[] = [
  { place: ["channels", "msteams"], port: ["webhook", "port"], usual: 3_978 },
  { place: ["channels", "telegram"], needs: ["webhookUrl"], port: ["webhookPort"], usual: 8_787 },
  { place: ["channels", "nextcloud-talk"], port: ["webhookPort"], usual: 8_788 },
  { place: ["channels", "signal"], port: ["transport", "httpPort"], usual: 8_080 },
  { place: ["hooks", "gmail"], needs: ["account", "serve"], port: ["serve", "port"], usual: 8_788 },
  { place: ["plugins", "entries", "voice-call"], port: ["config", "serve", "port"], usual: 3_334 },
];

function channelRanges(document: unknown): readonly ClaimedRange[] {
  return CHANNEL_LISTENERS.flatMap(({ place, needs, port, usual }) => {
    const configured = at(document, ...place);
    if (!isRecord(configured) || configured["enabled"] === false) return [];
    if (needs !== undefined && !needs.some((key) => Object.hasOwn(configured, key))) return [];
    // Signal's other transports talk to a server that OpenClaw does not run.
    const kind = at(configured, "transport", "kind");
    if (kind === "external-native" || kind === "container") return [];
    const asked = at(configured, ...port);
    return [rangeFrom(place.join("."), isPort(asked) ? asked : usual, 1)];
  });
}

function rangeFrom(label: string, first: number, length: number): ClaimedRange {
  return { label, first, last: Math.min(first + length - 1, HIGHEST_PORT) };
}

function loopbackPort(value: unknown): number | undefined {
  if (typeof value !== "string" || !URL.canParse(value)) return undefined;
  const { hostname, port } = new URL(value);
  const loopback = hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
  return loopback && port !== "" ? Number(port) : undefined;
}
