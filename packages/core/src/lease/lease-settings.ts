/** What a profile says about its lease. Types only; how people write it down is not for this package. */

/** One owner across hosts, by a key that an engine keeps. */
export interface LeaseSettings {
  readonly engine: "etcd";
  /** `http://host:port` or `https://host:port`, one for each member. */
  readonly endpoints: readonly string[];
  readonly key: string;
  /** How long the lease outlives its last renewal. */
  readonly ttlSeconds: number;
  /** Does a start wait while another host owns the lease? Else it fails. */
  readonly standby: boolean;
  /** Absolute, mode 0600: user, password and certificates. */
  readonly credentialsFile?: string;
}
