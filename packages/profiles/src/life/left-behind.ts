/**
 * What a clone leaves behind: whatever makes the original who it is to others (credentials, device identities,
 * schedules) and whatever belongs to one running process (locks, logs). Judged by name, so that it also holds for
 * gateways that are unknown here; in doubt something stays behind, and all of it is listed. Pure.
 */

/** Everything that a clone may leave behind, in the order in which it is listed. */
export const LEFT_BEHIND_KINDS = [
  "credentials",
  "devices",
  "schedules",
  "databases",
  "locks",
  "logs",
  "caches",
  "links",
] as const;

/** Why something was not copied. `links`: symbolic links and special files, which are never followed nor copied. */
export type LeftBehindKind = (typeof LEFT_BEHIND_KINDS)[number];

/** One thing that was not copied. */
export interface LeftBehind {
  readonly kind: LeftBehindKind;
  /** As seen from the profile: `state/credentials`, `config: channels.telegram.botToken`, `env: API_TOKEN`. */
  readonly what: string;
}

/**
 * By the name of one file or folder. Source: OpenClaw 2026.9.6's state directory (`credentials`, `auth-profiles.json`,
 * `identity`, `devices`, `cron`, `tmp`, `logs`, browser profiles with their cookies), and usual names elsewhere.
 */
const BY_NAME: readonly (readonly [LeftBehindKind, RegExp])[] = [
  [
    "credentials",
    /^(?:credentials?|oauth|secrets?|tokens?|browser|cookies.*|auth(?:-profiles)?\.json|\.netrc|\.npmrc)$/i,
  ],
  [
    "credentials",
    /^\.env(?:\..*)?$|^id_(?:rsa|ed25519|ecdsa)|\.(?:pem|key|p12|pfx)$|(?:token|secret|credential)s?\.(?:json|txt)$/i,
  ],
  // Copies that programs and editors keep of a config, with all that stood in it: `openclaw.json.bak.1`, `config.json~`.
  [
    "credentials",
    /\.(?:json5?|ya?ml|toml|ini|conf)(?:~$|\.(?:bak|old|orig|save|backup|last-good|clobbered)(?:[.\-_].*)?$)/i,
  ],
  ["devices", /^(?:identity|devices?|nodes|device(?:-.*)?\.json)$/i],
  ["schedules", /^(?:cron|crontab|schedules?(?:\.json)?)$/i],
  ["databases", /\.(?:sqlite3?|db)(?:-(?:wal|shm|journal))?$/i],
  ["locks", /^tmp$|\.(?:lock|pid|sock)$/i],
  ["caches", /^\.?caches?$/i],
  ["logs", /^logs?$|\.log(?:\.\d+)?$/i],
];

/** A workspace is a person's own work, in which `yarn.lock` and `logs` mean other things: only secrets stay behind. */
const IN_WORKSPACE: ReadonlySet<LeftBehindKind> = new Set(["credentials"]);

/** Returns why an entry of that name stays behind, or undefined when it is copied. */
export function reasonToLeave(name: string, room: "state" | "workspace"): LeftBehindKind | undefined {
  const kind = BY_NAME.find(([, pattern]) => pattern.test(name))?.[0];
  return kind === undefined || (room === "workspace" && !IN_WORKSPACE.has(kind)) ? undefined : kind;
}
