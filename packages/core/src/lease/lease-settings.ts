/** A profile's settings for its lease. Types only; this package does not parse their text form. */

/** One owner across hosts, by a key in an engine. */
export interface LeaseSettings {
  readonly engine: "etcd";
  /** `http://host:port` or `https://host:port`, one for each member. */
  readonly endpoints: readonly string[];
  readonly key: string;
  /** How long the lease outlives its last renewal. */
  readonly ttlSeconds: number;
  /** Whether a start waits while another host owns the lease; otherwise it fails. */
  readonly standby: boolean;
  /** Absolute, mode 0600: user, password and certificates. */
  readonly credentialsFile?: string;
}
