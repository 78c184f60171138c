/**
 * The screen that the first picture has taken, on its way to the live view. Both are bundles of their own, so that the first
 * need not wait for the second to be read; they meet at a name of the process.
 */
import type { PlannedHome } from "@lockkeeper/profiles";

/** A terminal that shows the first picture already. */
export interface TakenScreen extends PlannedHome {
  /** Leaves it to the caller to give the terminal back from now on. */
  readonly handOver: () => void;
  /** Gives the terminal back, unless that is the duty of another by now. */
  readonly giveBack: () => void;
}

const MEETING = Symbol.for("lockkeeper.taken-screen");

/** Leaves the screen for the program that is loaded next. */
export function leaveTaken(screen: TakenScreen): void {
  Reflect.set(globalThis, MEETING, screen);
}

/** Returns the screen that was taken before this program was loaded; undefined when none was. */
export function takenScreen(): TakenScreen | undefined {
  return Reflect.get(globalThis, MEETING) as TakenScreen | undefined;
}
