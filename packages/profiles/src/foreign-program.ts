/**
 * What a folder answers for a program that people also run without us (OpenClaw; another one would be one more folder):
 * where its gateways are on this host, what they claim, how one is adopted, what of it is a secret. The rooms that
 * discover, import, take over, clone and diagnose ask these questions and know no program by name. Types only.
 */
import type { ProcessIdentity, ProcessLaunch } from "@lockkeeper/core";
import type { Manifest } from "./manifest.ts";
import type { HostRoots } from "./service-units/host-roots.ts";
import type { ServiceUnit } from "./service-units/service-units.ts";

/** Where a gateway was seen. `app`: the macOS app that brings its own service. */
export type InstallationSource = "disk" | "unit" | "lock" | "app";

/** Where its port was read. `env-file`: a file of variables that the program reads itself. `default`: nothing says another. */
export type InstallationPortSource = "config" | "unit" | "lock" | "env-file" | "default";

/** Ports that a gateway claims, and what they are to it. */
export interface ClaimedRange {
  readonly first: number;
  readonly last: number;
  readonly label: string;
}

/** What the program itself wrote down about a process that has its state open. */
export interface ProgramRecord {
  readonly path: string;
  /** The process that the record names, verified; null when it is gone or cannot be told from another. */
  readonly owner: ProcessIdentity | null;
  readonly pid: number;
  readonly port: number | null;
  /** `gateway` serves; another one only works in the state directory. */
  readonly role: "gateway" | "other";
}

/** One gateway of the program, told by its state directory, with everything that points at it. */
export interface Installation {
  /** As the program calls it: `default`, `work`. */
  readonly name: string;
  /** `yes`: it is found under our own user's home. A gateway of another user or home is never ours by its name. */
  readonly mine: "yes" | "no";
  readonly sources: readonly InstallationSource[];
  /** As written; {@link realStateDir} is where it leads. */
  readonly stateDir: string;
  /** Null when there is no such directory. */
  readonly realStateDir: string | null;
  readonly configPath: string;
  /** `absent`: there is no such file. `damaged`: it is there and cannot be relied on. */
  readonly config: "read" | "absent" | "damaged";
  /** What is wrong with the config; null when nothing is. */
  readonly configFault: string | null;
  /** The address that it binds, as far as its config and its arguments tell. */
  readonly host: string;
  readonly port: number | null;
  readonly portSource: InstallationPortSource | null;
  /** The ports that it claims; those that it usually has when its config cannot be relied on. */
  readonly ranges: readonly ClaimedRange[];
  readonly units: readonly ServiceUnit[];
  readonly records: readonly ProgramRecord[];
  /** The macOS app that runs it, or null. */
  readonly app: string | null;
  /** What `~` means to it. */
  readonly userHome: string;
  /** What is odd about it, one fact each: a record of a process that is gone, a port that is not the one of its config. */
  readonly notes: readonly string[];
}

/** An installation that a person names; nothing on the host may point to it. */
export interface NamedInstallation {
  readonly name: string;
  readonly stateDir: string;
}

/** What a manifest takes over from an installation, beside name, port and state directory. */
export interface AdoptedParts {
  /** The program with its arguments; undefined for the usual program from the PATH. */
  readonly command: readonly string[] | undefined;
  readonly cwd: string;
  /** Variables that tell it which gateway it is, and nothing else. */
  readonly env: Readonly<Record<string, string>>;
  readonly workspace: string;
}

/** The config of a clone, and what of the original's is not in it. */
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
  /** The token that is valid now; null when another way of access is configured, or none. */
  readonly token: string | null;
  /** Why there is no token, for a person; null with one. */
  readonly tokenFault: string | null;
  /** What follows the page's address to hand it the token: `#token=...`; null without a token. */
  readonly tokenFragment: string | null;
}

/** What is wrong with a gateway's own config before it starts. */
export interface ConfigFault {
  /** `broken`: it will not start. `missing-variable`: it starts, and lacks what a variable was to hold. */
  readonly kind: "broken" | "missing-variable";
  /** `the config cannot be read: ~/.openclaw/openclaw.json:5:13: invalid character 'l'`. */
  readonly message: string;
  readonly hint: string;
}

/** A profile's own config as its program understands it. */
export interface ProgramConfig {
  /** The whole of it, parts in other files included; undefined when it cannot be read. */
  readonly document: unknown;
  /** Why it cannot be relied on; null when it can. */
  readonly fault: string | null;
  /** The port that it names; null when it names none. */
  readonly port: number | null;
  /** The files that it is made of beside itself; they may hold the same secrets. */
  readonly parts: readonly string[];
  /** Ports that it claims beside those that follow from the gateway's own. */
  readonly extraRanges: readonly ClaimedRange[];
}

/** One program that people also run without us. Everything reads; nothing of the program's is ever written. */
export interface ForeignProgram {
  /** As people write it: `OpenClaw`. */
  readonly title: string;
  /** Where its gateways are looked for, for a person who misses one. */
  readonly places: (roots: HostRoots) => readonly string[];
  /** Returns every gateway of it on this host. `named`: one more place to look at. */
  readonly findInstallations: (roots: HostRoots, named?: NamedInstallation) => Promise<readonly Installation[]>;
  /** Returns what is taken over when it is adopted. `ourHome`: the home of our own user. */
  readonly adopt: (installation: Installation, ourHome: string) => Promise<AdoptedParts>;
  readonly readConfig: (manifest: Manifest) => Promise<ProgramConfig>;
  /** Returns what is wrong with the config, or with what it needs from `env`, the gateway's own environment. */
  readonly checkConfig: (manifest: Manifest, env: Readonly<Record<string, string>>) => Promise<readonly ConfigFault[]>;
  /**
   * Returns the config of a clone that has ports, token and folders of its own.
   *
   * @throws {LockkeeperError} DIRECTORY_SHARED when a path into the original remains that has no counterpart.
   */
  readonly cloneConfig: (
    original: Manifest,
    clone: Manifest,
    token: string,
    keepSecrets: boolean,
  ) => Promise<OwnConfig>;
  /** Returns how a gateway that was started as `launch` tells is started again, as itself. */
  readonly relaunch: (manifest: Manifest, launch: ProcessLaunch) => ProcessLaunch;
  /** Returns whether a gateway of ours lacks nothing when it lacks this variable: it has its own, or reads it from a file. */
  readonly needsNot: (manifest: Manifest, variable: string) => boolean;
  /** Returns how a gateway is reached. `env`: its own environment, for tokens that are kept there. */
  readonly access: (manifest: Manifest, env: Readonly<Record<string, string>>) => Promise<GatewayAccess>;
}
