/**
 * The questions about a program that people also run without Lockkeeper (OpenClaw; another one would be one more folder):
 * where its gateways are on this host, what they claim, how one is adopted, which parts are secret. The rooms that discover,
 * import, take over, clone and diagnose ask these questions and know no program by name. Types only.
 */
import type { ProcessIdentity } from "@lockkeeper/core";
import type { ProcessLaunch } from "@lockkeeper/core/internal";
import type { Manifest } from "./manifest.ts";
import type { HostRoots } from "./service-units/host-roots.ts";
import type { ServiceUnit } from "./service-units/service-units.ts";

/** Where a gateway was seen. `app`: the macOS app that brings its own service. */
export type InstallationSource = "disk" | "unit" | "lock" | "app";

/** Where its port was read. `env-file`: an environment file that the program reads itself. `default`: no other source. */
export type InstallationPortSource = "config" | "unit" | "lock" | "env-file" | "default";

/** Ports that a gateway claims, and their purpose. */
export interface ClaimedRange {
  readonly first: number;
  readonly last: number;
  readonly label: string;
}

/** The program's own record of a process that has its state open. */
export interface ProgramRecord {
  readonly path: string;
  /** The process that the record names, verified; null when it has ended or cannot be verified. */
  readonly owner: ProcessIdentity | null;
  readonly pid: number;
  readonly port: number | null;
  /** `gateway` serves; any other role only works in the state directory. */
  readonly role: "gateway" | "other";
}

/** One gateway of the program, identified by its state directory, with everything that points at it. */
export interface Installation {
  /** The program's own name for it: `default`, `work`. */
  readonly name: string;
  /** `yes`: it is under our own user's home. A gateway of another user or home is never ours because of its name. */
  readonly mine: "yes" | "no";
  readonly sources: readonly InstallationSource[];
  /** As written; {@link realStateDir} is the real path. */
  readonly stateDir: string;
  /** Null when there is no such directory. */
  readonly realStateDir: string | null;
  readonly configPath: string;
  /** `absent`: there is no such file. `damaged`: the file exists and cannot be trusted. */
  readonly config: "read" | "absent" | "damaged";
  /** The fault of the config; null when it is sound. */
  readonly configFault: string | null;
  /** The address that it binds, as far as its config and arguments say. */
  readonly host: string;
  readonly port: number | null;
  readonly portSource: InstallationPortSource | null;
  /** The ports that it claims; its default ports when its config cannot be trusted. */
  readonly ranges: readonly ClaimedRange[];
  readonly units: readonly ServiceUnit[];
  readonly records: readonly ProgramRecord[];
  /** The macOS app that runs it, or null. */
  readonly app: string | null;
  /** What `~` means to it. */
  readonly userHome: string;
  /** Oddities, one fact each: a record of a process that has ended, a port that differs from its config. */
  readonly notes: readonly string[];
}

/** An installation that a person names; possibly nothing on the host points to it. */
export interface NamedInstallation {
  readonly name: string;
  readonly stateDir: string;
}

/** The parts of a manifest that come from an installation, besides name, port and state directory. */
export interface AdoptedParts {
  /** The program with its arguments; undefined for the usual program from the PATH. */
  readonly command: readonly string[] | undefined;
  readonly cwd: string;
  /** Only the variables that tell it which gateway it is. */
  readonly env: Readonly<Record<string, string>>;
  readonly workspace: string;
}

/** The config of a clone, and the parts of the original that it omits. */
export interface OwnConfig {
  /** Null when there is nothing to write. */
  readonly text: string | null;
  /** Settings that are secrets, by their place: `channels.telegram.botToken`. */
  readonly dropped: readonly string[];
}

/** How a browser or another client reaches a running gateway. */
export interface GatewayAccess {
  /** Path of the web page from the root of the gateway's address: `/`. */
  readonly pagePath: string;
  /** Whether it serves a page at all. */
  readonly page: "on" | "off";
  readonly scheme: "http" | "https";
  /** The token that is valid now; null when access is configured in another way, or not at all. */
  readonly token: string | null;
  /** Why there is no token, as a sentence; null with one. */
  readonly tokenFault: string | null;
  /** The suffix of the page's address that hands over the token: `#token=...`; null without a token. */
  readonly tokenFragment: string | null;
}

/** What is wrong with a gateway's own config before it starts. */
export interface ConfigFault {
  /** `broken`: it will not start. `missing-variable`: it starts without a variable that it needs. */
  readonly kind: "broken" | "missing-variable";
  /** `the config cannot be read: ~/.openclaw/openclaw.json:5:13: invalid character 'l'`. */
  readonly message: string;
  readonly hint: string;
}

/** A profile's own config as its program understands it. */
export interface ProgramConfig {
  /** The whole config with its parts in other files; undefined when it cannot be read. */
  readonly document: unknown;
  /** Why it cannot be trusted; null when it can. */
  readonly fault: string | null;
  /** The port that it names; null when it names none. */
  readonly port: number | null;
  /** The address that the gateway listens on: by the profile's command, by the config, or by default. */
  readonly host: string;
  /** Its parts in other files, which may hold the same secrets. */
  readonly parts: readonly string[];
  /** Ports that it claims besides those derived from the gateway's own. */
  readonly extraRanges: readonly ClaimedRange[];
}

/** One program that people also run without Lockkeeper. These functions only read; the program's files are never written. */
export interface ForeignProgram {
  /** The usual spelling: `OpenClaw`. */
  readonly title: string;
  /** Where its gateways are searched, so that a person sees which place is missing. */
  readonly places: (roots: HostRoots) => readonly string[];
  /** Returns every gateway of the program on this host. `named`: more places to search. */
  readonly findInstallations: (
    roots: HostRoots,
    named?: readonly NamedInstallation[],
  ) => Promise<readonly Installation[]>;
  /** Returns where a process that was started as `launch` says may keep its state, if it is a gateway of the program. */
  readonly placesOf: (launch: ProcessLaunch) => readonly NamedInstallation[];
  /** Returns the parts for the manifest when it is adopted. `ourHome`: the home of our own user. */
  readonly adopt: (installation: Installation, ourHome: string) => Promise<AdoptedParts>;
  readonly readConfig: (manifest: Manifest) => Promise<ProgramConfig>;
  /** Returns the faults of the config, and of the variables that it needs from `env`, the gateway's own environment. */
  readonly checkConfig: (manifest: Manifest, env: Readonly<Record<string, string>>) => Promise<readonly ConfigFault[]>;
  /**
   * Returns the config of a clone that has ports, token and folders of its own.
   *
   * @throws {LockkeeperError} DIRECTORY_SHARED when a path into the original has no counterpart in the clone.
   */
  readonly cloneConfig: (
    original: Manifest,
    clone: Manifest,
    token: string,
    keepSecrets: boolean,
  ) => Promise<OwnConfig>;
  /** Returns how to start again, as itself, a gateway that was started as `launch` says and listened on `addresses`. */
  readonly relaunch: (
    manifest: Manifest,
    launch: ProcessLaunch,
    addresses: readonly string[] | "unknown",
  ) => ProcessLaunch;
  /** Returns whether our gateway can do without this variable, because it has its own or reads it from a file. */
  readonly needsNot: (manifest: Manifest, variable: string) => boolean;
  /** Returns how a gateway is reached. `env`: its own environment, which may hold the token. */
  readonly access: (manifest: Manifest, env: Readonly<Record<string, string>>) => Promise<GatewayAccess>;
}
