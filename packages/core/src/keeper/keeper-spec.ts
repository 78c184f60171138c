/** The input of a keeper, and its outcome. Types only. */
import type { HookPlan } from "../hooks/hook-caller.ts";
import type { LeaseSettings } from "../lease/lease-settings.ts";
import type { PortBlock } from "./sparing.ts";
import type { KeptProgram } from "./kept-program.ts";
import type { RunRecord, RunWords } from "./run-record.ts";

/** How the health of a gateway is judged, besides its listener, which must be on the port and in its process tree. */
export type HealthCheck =
  | {
      readonly kind: "http";
      readonly path: string;
      readonly expect: "ok-body" | "2xx" | "not-5xx";
      readonly scheme?: "http" | "https";
    }
  /** Any answer to a HEAD request; silence is a fault only of a gateway that has answered before. */
  | { readonly kind: "answer"; readonly scheme: "http" | "https" }
  /** Only the listener counts. */
  | { readonly kind: "tcp" }
  /** No listener is expected: "running" means that the process lives. */
  | { readonly kind: "none" };

/** How a run is owned across hosts. */
export interface KeeperLease {
  readonly settings: LeaseSettings;
  /** Starts the sentinel: a program that calls `standSentinel` with its standard input and output. */
  readonly sentinelArgv: readonly [string, ...string[]];
  /** The file with the last owner's token, beside the state that it guards. */
  readonly tokenPath: string;
  /** What to do while another host owns the lease. */
  readonly whenHeld: "wait" | "fail";
  /** What to do when the engine does not answer at first; a wrong password always fails. */
  readonly whenUnavailable: "wait" | "fail";
}

/** One run of one profile. Times are in milliseconds, paths absolute. */
export interface KeeperSpec {
  readonly profile: string;
  /** Published unchanged, to say what ran when nothing else can be read. */
  readonly kind?: string | undefined;
  /** The home that the gateway's environment names as `LOCKKEEPER_HOME`, if it names one. */
  readonly home?: string | undefined;
  readonly lockDir: string;
  readonly configPath: string;
  readonly host: string;
  /** The address where the gateway must listen. */
  readonly port: number;
  /** How many ports belong to the run, from `port` on. @default 1 */
  readonly span?: number;
  /** Every port of the profile by name, the main one included. */
  readonly ports: Readonly<Record<string, number>>;
  /** Run without a shell. */
  readonly argv: readonly [string, ...string[]];
  /** Our own program among them, opened at the start of the run. */
  readonly kept?: KeptProgram | undefined;
  readonly cwd: string;
  /** The child's whole environment; the keeper adds `LOCKKEEPER_RUN`. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Names of `env` whose values came from the starter: a directory among them that is missing at a spawn, or another user's,
   * is left out. @default none
   */
  readonly inherited?: readonly string[];
  readonly health: HealthCheck;
  /**
   * Whether the gateway listens exactly where it is told to, and writes a line when it does: until then it is looked at
   * seldom. @default false
   */
  readonly announces?: boolean | undefined;
  /** A digest of the run's settings, to compare them with later ones. */
  readonly settings?: string;
  /** The caller's words for the health check and the scheme of the address, published unchanged. */
  readonly told?: RunWords;
  /** Asked besides health until the gateway has started, and never after that. @default nothing */
  readonly readiness?: HealthCheck;
  readonly logPath: string;
  readonly eventsPath: string;
  readonly runRecordPath: string;
  /** The file that may give a stop another deadline. @default none */
  readonly stopRequestPath?: string;
  /**
   * After this time the keeper reports a slow start. It does not end the gateway for that, but from then on it does for a
   * wrong port.
   */
  readonly startTimeoutMs: number;
  /**
   * Ends of this run spare processes that have a session of their own, do not hold the lock, and listen on no port of this
   * block, once the gateway was ready. @default none is spared
   */
  readonly spares?: PortBlock | undefined;
  /** Time from the request to end until the gateway is killed. */
  readonly stopTimeoutMs: number;
  /** How long to wait for an owner that is starting or stopping. */
  readonly lockTimeoutMs: number;
  /** Started by a service manager: a healthy gateway that is already there is left in control. */
  readonly supervised: boolean;
  /** How long a supervised start looks for a healthy owner. @default 30_000 */
  readonly handoffTimeoutMs?: number;
  /** Pause between two checks of a healthy gateway. @default 10_000 */
  readonly livenessIntervalMs?: number;
  /** A gateway that was ready is restarted when it stays above this, in bytes. @default never */
  readonly memoryRestartBytes?: number | undefined;
  /** Pause between two samples of its memory. @default 15_000 with a limit, else 60_000 */
  readonly memoryIntervalMs?: number | undefined;
  /** A gateway that was healthy is restarted after this time without a good answer. @default never */
  readonly restartUnresponsiveMs?: number | undefined;
  /** The gateway's upper limit, in bytes, where this host can enforce it. @default no limit */
  readonly memoryMaxBytes?: number | undefined;
  /** Secret values to hide in the gateway's output. @default none */
  readonly secrets?: readonly string[] | undefined;
  /** Hooks that hear about the run. @default nobody */
  readonly hooks?: HookPlan | undefined;
  /** One owner across hosts: without the lease no gateway is started. Absent: the lock alone decides. */
  readonly lease?: KeeperLease;
  /** Do not end the remains of an earlier run, because the asking process belongs to it. @default false */
  readonly sparesEarlierRun?: boolean | undefined;
  /** Whether the process goes on after the run; published for callers that wait for the end of a run. @default false */
  readonly stays?: boolean | undefined;
  /** Aborts: stop the gateway and end. */
  readonly stop: AbortSignal;
  /** Aborts: stop at once. */
  readonly force: AbortSignal;
  /**
   * Called with the lock held, before anything is published or spawned, to check facts that a change of the profile may have
   * outdated; such a change needs the lock as well. An error ends the keeper.
   */
  readonly confirm?: () => Promise<void>;
  /** Called after every published change; must not throw. */
  readonly report?: (record: RunRecord) => void;
  /** Called after each successful check of a ready gateway; must not throw. */
  readonly onHealthy?: () => void;
  /** For the history: "lockkeeper start (pid 123)". */
  readonly startedBy: string;
}

/** How a run ended. */
export interface KeeperOutcome {
  /**
   * `stopped`: the process tree has ended. `failed`: given up; nothing runs unless `detail` says so. `blocked`: another
   * process has the port. `left-in-control`: a healthy gateway was running already (supervised starts only).
   */
  readonly outcome: "stopped" | "failed" | "blocked" | "left-in-control";
  /** The last record; null when nothing was published. */
  readonly record: RunRecord | null;
  readonly detail: string;
  /**
   * Resolves when the hooks were called, after ten seconds at most: the run is over and the lock is free, but the process
   * should live until then. Absent without hooks.
   */
  readonly told?: Promise<void>;
  /** It was ended by a command such as `stop`, which left a request besides its signal; known only for a run that stays. */
  readonly onRequest?: true | undefined;
}
