/**
 * The files that a clone omits: those that identify the original to others (credentials, device identities, schedules) and
 * those of one running process (locks, logs). Judged by name, so that the rule also holds for unknown gateways. In doubt a
 * file is omitted, and every omission is listed. Pure.
 */

/** The kinds of omitted files, in the order of display. */
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

/** Why a file was not copied. `links`: symbolic links and special files, which are never followed or copied. */
export type LeftBehindKind = (typeof LEFT_BEHIND_KINDS)[number];

/** One omission. */
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
  // Copies of a config that programs and editors keep, secrets included: `openclaw.json.bak.1`, `config.json~`.
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

/** A workspace is a person's own work, where `yarn.lock` and `logs` mean other things: only secrets are omitted. */
const IN_WORKSPACE: ReadonlySet<LeftBehindKind> = new Set(["credentials"]);

/** Returns why an entry of that name is omitted, or undefined when it is copied. */
export function reasonToLeave(name: string, room: "state" | "workspace"): LeftBehindKind | undefined {
  const kind = BY_NAME.find(([, pattern]) => pattern.test(name))?.[0];
  return kind === undefined || (room === "workspace" && !IN_WORKSPACE.has(kind)) ? undefined : kind;
}
