/**
 * Is this still that process? A pid alone names nobody: it is reused after exit, after reboot and across containers.
 * An identity adds the raw start ticks, the boot id and the pid namespace. No wall clock takes part.
 */

export interface ProcessIdentity {
  readonly pid: number;
  /** Raw start time in the system's own unit (Linux: clock ticks since boot); null where it cannot be had. */
  readonly startTicks: number | null;
  readonly bootId: string | null;
  /** Inode of the pid namespace, as text (Linux); null elsewhere. */
  readonly pidNamespace: string | null;
}

/** `unknown`: the host does not let us tell (another pid namespace, no /proc, permission). */
export type ProcessVerdict = "alive" | "gone" | "unknown";
