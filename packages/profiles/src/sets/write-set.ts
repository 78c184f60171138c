/**
 * Writes profiles as the file that creates them. A value that looks secret becomes null, which means "keep the present
 * value".
 */
import { DEFAULT_HOST } from "@lockkeeper/core";
import { jsonText, shownTarget } from "@lockkeeper/core/internal";
import { formatDurationMs, formatSizeBytes, parseSizeBytes } from "../amounts.ts";
import { usualHealthCheck } from "../kinds/health-check.ts";
import { kinds } from "../kinds/kinds.ts";
import { derivedOffsets } from "../life/block-options.ts";
import { formatLease } from "../life/lease-text.ts";
import type { Manifest } from "../manifest.ts";
import { isSecretName } from "../secrets.ts";
import type { SetKey } from "./set-keys.ts";

/** A password in a URL. */
const URL_WITH_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*:[^/?#\s]*@/i;

/** Returns the text of the file. */
export function formatSet(manifests: readonly Manifest[]): string {
  const profiles = Object.fromEntries(manifests.map((manifest) => [manifest.name, entryOf(manifest)]));
  return `${jsonText({ profiles }, 2)}\n`;
}

function entryOf(manifest: Manifest): Readonly<Partial<Record<SetKey, unknown>>> {
  const { kind, command, port, span, host, scheme, health } = manifest;
  const own = { gateway: 0, ...derivedOffsets(kinds[kind]) };
  const extra = Object.entries(manifest.ports).filter(([label]) => !Object.hasOwn(own, label));
  const entry: Partial<Record<SetKey, unknown>> = {
    kind: kind === (command === undefined ? "builtin" : "command") ? undefined : kind,
    command,
    cwd: manifest.cwd ?? (kind === "command" ? manifest.paths.workspace : undefined),
    env: mapValues(manifest.env, (value, name) => (isSecretName(name) || URL_WITH_PASSWORD.test(value) ? null : value)),
    passEnv: manifest.passEnv,
    envFile: manifest.envFile,
    portEnv: manifest.portEnv,
    port,
    host: host === DEFAULT_HOST ? undefined : host,
    span: span === kinds[kind].span ? undefined : span,
    extraPorts: extra.length === 0 ? undefined : Object.fromEntries(extra.map(([label, at]) => [label, at - port])),
    health: health === usualHealthCheck(kind, scheme) ? undefined : health,
    scheme,
    stopTimeout: durationText(manifest.stopTimeoutMs),
    groups: manifest.groups,
    after: manifest.after,
    end: manifest.end,
    memoryRestart: sizeText(manifest.memoryRestartBytes),
    memoryMax: sizeText(manifest.memoryMaxBytes),
    restartUnresponsive: durationText(manifest.restartUnresponsiveMs),
    hooks: mapValues(manifest.hooks, shownTarget),
    lease: manifest.lease === undefined ? undefined : formatLease(manifest.lease),
    protected: manifest.protected ? true : undefined,
  };
  return entry;
}

function mapValues<T>(
  record: Readonly<Record<string, string>> | undefined,
  map: (value: string, key: string) => T,
): Readonly<Record<string, T>> | undefined {
  if (record === undefined) return undefined;
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}

function durationText(durationMs: number | undefined): string | undefined {
  return durationMs === undefined ? undefined : formatDurationMs(durationMs);
}

/** Every size can be read back; odd ones are written in bytes. */
function sizeText(sizeBytes: number | undefined): string | undefined {
  if (sizeBytes === undefined) return undefined;
  const text = formatSizeBytes(sizeBytes).replace(" ", "");
  return parseSizeBytes(text) === sizeBytes ? text : `${sizeBytes}B`;
}
