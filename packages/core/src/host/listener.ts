/** A listening socket and the process behind it. Types only. */

/** A TCP socket in state LISTEN. An IPv4 address mapped into IPv6 is reported as the IPv4 listener that it is. */
export interface Listener {
  readonly family: 4 | 6;
  /** Canonical text: `127.0.0.1`, `::1`. */
  readonly address: string;
  readonly port: number;
  /** Names the socket for {@link findHolders}. */
  readonly inode: string;
  readonly uid: number;
  /**
   * For `::` only: `yes` when an IPv4 socket listens beside it on the same port, so it cannot be dual-stack; the
   * kernel's table does not tell more.
   */
  readonly v6only?: "yes" | "unknown";
}

/** The process that holds a listener, as far as it is visible. */
export interface Holder {
  readonly pid: number;
  /** Program and script, without the arguments: see `shownCommand`. */
  readonly command: string;
  /** Login name, or the uid as text. */
  readonly user: string;
}
