/** What a keeper is told, and what becomes of it. Types only. */
import type { HookPlan } from "../hooks/hook-caller.ts";
import type { LeaseSettings } from "../lease/lease-settings.ts";
import type { PortBlock } from "./sparing.ts";
import type { KeptProgram } from "./gateway-process.ts";
import type { RunRecord } from "./run-record.ts";

/** How the health of a gateway is judged beside its listener, which must be on the port and in its process tree. */
export type HealthCheck =
  | {
      readonly kind: "http";
      readonly path: string;
      readonly expect: "ok-body" | "2xx" | "not-5xx";
      readonly scheme?: "http" | "https";
    }
  /** Any answer to a HEAD request; silence is a fault only of a gateway that has answered before. */
  | { readonly kind: "answer"; readonly scheme: "http" | "https" }
  /** The listener is all there is to know. */
  | { readonly kind: "tcp" }
  /** Not even a listener is expected: running means that the process lives. */
  | { readonly kind: "none" };

/** How a run is owned across hosts. */
export interface KeeperLease {
  readonly settings: LeaseSettings;
  /** Starts the sentinel: a program that calls `standSentinel` with its standard input and output. */
  readonly sentinelArgv: readonly [string, ...string[]];
  /** Where the token of the last owner stands, beside the state that it guards. */
  readonly tokenPath: string;
  /** What to do while another host owns the lease. */
  readonly whenHeld: "wait" | "fail";
  /** What to do when the engine does not answer at first; a wrong password always fails. */
  readonly whenUnavailable: "wait" | "fail";
}

/** One run of one profile. Times are in milliseconds, paths absolute. */
export interface KeeperSpec {
  readonly profile: string;
  /** Published as it is, for whoever must tell what ran when nothing else can be read. */
  readonly kind?: string | undefined;
  /** The home that the gateway's environment names as `LOCKKEEPER_HOME`, if it names one. */
  readonly home?: string | undefined;
  readonly lockDir: string;
  readonly configPath: string;
  readonly host: string;
  /** Where the gateway must listen. */
  readonly port: number;
  /** How many ports belong to the run, from `port` on. @default 1 */
  readonly span?: number;
  /** Every port of the profile by name, the main one included. */
  readonly ports: Readonly<Record<string, number>>;
  /** Run without a shell. */
  readonly argv: readonly [string, ...string[]];
  /** A program of ours among them, read at the start of the run. */
  readonly kept?: KeptProgram | undefined;
  readonly cwd: string;
  /** The child's whole environment; the keeper adds `LOCKKEEPER_RUN`. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Names of `env` whose values came from whoever started this: a directory among them that is gone by the time of a
   * spawn, or somebody else's, is left out. @default none
   */
  readonly inherited?: readonly string[];
  readonly health: HealthCheck;
  /** Marks the settings that the run was made from, for whoever compares them with later ones. */
  readonly settings?: string;
  /** Asked beside health until the gateway has started, and never after that. @default nothing */
  readonly readiness?: HealthCheck;
  readonly logPath: string;
  readonly eventsPath: string;
  readonly runRecordPath: string;
  /** Where a stop may be given another time. @default nowhere */
  readonly stopRequestPath?: string;
  /** After this the keeper says that the gateway is slow. It is never ended for that, but then for a wrong port it is. */
  readonly startTimeoutMs: number;
  /**
   * Ends of this run spare processes that have a session of their own, do not hold the lock, and listen on no port of this
   * block, once the gateway was ready. @default none is spared
   */
  readonly spares?: PortBlock | undefined;
  /** From the request to end until the gateway is killed. */
  readonly stopTimeoutMs: number;
  /** How long to wait for an owner that is starting or stopping. */
  readonly lockTimeoutMs: number;
  /** Started by a service manager: a healthy gateway that is already there is left in control. */
  readonly supervised: boolean;
  /** How long a supervised start looks for a healthy owner. @default 30_000 */
  readonly handoffTimeoutMs?: number;
  /** Between two looks at a gateway that is well. @default 10_000 */
  readonly livenessIntervalMs?: number;
  /** A gateway that was ready is restarted when it stays above this, in bytes. @default never */
  readonly memoryRestartBytes?: number | undefined;
  /** Between two samples of its memory. @default 15_000 with a limit, else 60_000 */
  readonly memoryIntervalMs?: number | undefined;
  /** A gateway that was healthy is restarted after so long without a good answer. @default never */
  readonly restartUnresponsiveMs?: number | undefined;
  /** The gateway can have no more than this, in bytes, where this host lets us say so. @default no limit */
  readonly memoryMaxBytes?: number | undefined;
  /** Values that must not be kept of what the gateway prints. @default none */
  readonly secrets?: readonly string[] | undefined;
  /** Who is told of what happens to the run. @default nobody */
  readonly hooks?: HookPlan | undefined;
  /** One owner across hosts: without the lease no gateway is started. Absent: the lock alone decides. */
  readonly lease?: KeeperLease;
  /** Leave alive what an earlier run left: whoever asked for this run is part of that. @default false */
  readonly sparesEarlierRun?: boolean | undefined;
  /** The process goes on when the run is over: published, for whoever waits for the end of a run. @default false */
  readonly stays?: boolean | undefined;
  /** Aborts: stop the gateway and end. */
  readonly stop: AbortSignal;
  /** Aborts: stop at once. */
  readonly force: AbortSignal;
  /**
   * Called once the lock is ours, before anything is published or spawned: what a change of the profile, which needs the
   * lock as well, may have made untrue. A throw ends the keeper with that error.
   */
  readonly confirm?: () => Promise<void>;
  /** Called after every published change; must not throw. */
  readonly report?: (record: RunRecord) => void;
  /** Called after each look that found the gateway well, once it was ready; must not throw. */
  readonly onHealthy?: () => void;
  /** For the history: "lockkeeper start (pid 123)". */
  readonly startedBy: string;
}

/** How a run ended. */
export interface KeeperOutcome {
  /**
   * `stopped`: the tree is gone. `failed`: given up; nothing runs unless `detail` says so. `blocked`: the port belongs
   * to somebody else. `left-in-control`: a healthy gateway was there already (supervised starts only).
   */
  readonly outcome: "stopped" | "failed" | "blocked" | "left-in-control";
  /** What was published last; null when nothing was. */
  readonly record: RunRecord | null;
  readonly detail: string;
  /**
   * Resolves when hooks were told, after ten seconds at most: the run is over and the lock is free, but the process should live
   * until then. Absent without hooks.
   */
  readonly told?: Promise<void>;
  /** It was stopped by `stop` or its like, which said so beside its signal; only known of a run that stays. */
  readonly onRequest?: true | undefined;
}
