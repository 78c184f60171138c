/**
 * What a keeper publishes about its run (`run/<name>.json`), as data. Pure: no file is touched here.
 * Written and removed only by who holds the profile's lock; read by everybody, who must check the two identities
 * before believing a state that needs a living process.
 */
import type { ProcessIdentity } from "../host/process-identity.ts";

/** What a keeper can say about its gateway. `orphaned` and `external` are conclusions of a reader, never published. */
export type PublishedState = "starting" | "running" | "unresponsive" | "blocked" | "failed" | "stopping" | "stopped";

export type Health = "ok" | "failing" | "unknown";

/** How a gateway process ended. Exactly one of `code` and `signal` is set when the system told us. */
export interface GatewayExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** ISO 8601. */
  readonly at: string;
}

export interface RunRecord {
  readonly v: 1;
  readonly profile: string;
  /** Identifies this run; the gateway carries it as `LOCKKEEPER_RUN`. 128 random bits, hex. */
  readonly nonce: string;
  readonly state: PublishedState;
  /** Why the state is what it is, in plain words, for a person. */
  readonly reason: string | null;
  /** When the state was entered, ISO 8601. */
  readonly since: string;
  readonly keeper: ProcessIdentity | null;
  readonly gateway: ProcessIdentity | null;
  readonly host: string;
  /** The base port of this run (`start --port` makes it differ from the manifest's). */
  readonly port: number;
  readonly ports: Readonly<Record<string, number>>;
  /** When the present gateway process was started, ISO 8601. */
  readonly startedAt: string | null;
  readonly health: Health;
  /** Restarts after crashes within this keeper's life. */
  readonly restarts: number;
  readonly lastExit: GatewayExit | null;
}
