/**
 * Node opens a debugger's port on SIGUSR1, through which every user of the machine could run code as us.
 *
 * Source: https://nodejs.org/api/process.html#signal-events: a listener of one's own takes the place of Node's.
 */

/** On return SIGUSR1 does nothing to this process. */
export function refuseDebugger(): void {
  // Windows has no such signal, and refuses to listen for it.
  if (process.platform !== "win32") process.on("SIGUSR1", () => undefined);
}
