/**
 * What differs between kinds of gateway, and nothing else: how many ports, which of them are derived from the base, how long
 * it may take, what to run, and what to write to disk first. A kind is pure data plus pure functions, except for `seed`; the
 * keeper runs every kind in the same way.
 */
import type { HealthCheck } from "@lockkeeper/core";
import type { ForeignProgram, ProgramRecord } from "./foreign-program.ts";
import type { EndScope, KindName, Manifest } from "./manifest.ts";
import type { ProfilePaths } from "./profile-paths.ts";

/** Ports that a gateway opens by itself, counted from the base of its block; both ends included. */
export interface DerivedRange {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

/** What to spawn, exactly: no shell takes part. */
export type Argv = readonly [string, ...string[]];

/** The values from which an argv is made. */
export interface LaunchRequest {
  readonly manifest: Manifest;
  /** The base port of this run; `start --port` makes it differ from the manifest's. */
  readonly port: number;
  /** Absolute path of the built-in gateway's program. */
  readonly gatewayProgram: string;
}

/** One kind of gateway. */
export interface GatewayKind {
  readonly name: KindName;
  /** Ports in a block, the base included. */
  readonly span: number;
  readonly derived: readonly DerivedRange[];
  readonly health: HealthCheck;
  /** Whether it listens exactly where it is told to, and writes a line when it does. @default false */
  readonly announces?: boolean;
  /** What a start waits for besides health, because a gateway may answer before it has started. @default nothing */
  readonly readiness?: HealthCheck;
  /** How long `start` waits for readiness before it answers "still starting". */
  readonly startTimeoutMs: number;
  /** Why a stop takes long, for a waiting person. @default nothing */
  readonly stopNote?: string;
  /** From SIGTERM to SIGKILL. */
  readonly stopTimeoutMs: number;
  /** Whether the end of the gateway ends everything that it started, or spares separate sessions. */
  readonly end: EndScope;
  readonly launch: (request: LaunchRequest) => Argv;
  /** The kind's own variables, besides those that every profile has. */
  readonly environment: (manifest: Manifest, port: number) => Readonly<Record<string, string>>;
  /**
   * Every variable of the kind. All of them are dropped before a profile's variables are set, because an inherited one belongs
   * to another profile. @default none
   */
  readonly ownVariables?: { readonly prefix: string; readonly known: readonly string[] };
  /** The key of the gateway's own config that decides where it listens. @default none: the profile's host does */
  readonly hostSetting?: string;
  /** How much of `/dev/shm` it needs in a container. @default the engine's own */
  readonly sharedMemoryGiB?: number;
  /** Writes the gateway's own config when it is absent, and never touches one that is there. */
  readonly seed: (manifest: Manifest, token: string) => Promise<void>;
  /** Variables for `exec`, `env` and `shell` only. @default none */
  readonly clientEnvironment?: Readonly<Record<string, string>>;
  /** The argv that runs a client with that name (`openclaw`) for the profile; undefined for another name. */
  readonly clientProgram?: (manifest: Manifest, name: string) => readonly string[] | undefined;
  /** Whether the gateway stores absolute paths, so that a rename must leave the folder in its place. @default "no" */
  readonly remembersPaths?: "yes" | "no";
  /**
   * The program's own records of processes that have this state directory open. Reads only one folder, because every
   * observation asks. @default none
   */
  readonly records?: (paths: Pick<ProfilePaths, "state">) => readonly ProgramRecord[];
  /** The answers of a program that people also run without Lockkeeper; loaded when needed. */
  readonly foreign?: () => Promise<ForeignProgram>;
}

/** Returns the distance from the base to the last port that a gateway of that kind opens by itself. */
export function lastDerived({ derived }: GatewayKind): number {
  return Math.max(0, ...derived.map(({ last }) => last));
}
