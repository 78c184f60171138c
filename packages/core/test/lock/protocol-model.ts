/**
 * The lock protocol as a small machine, explored exhaustively: three processes take one step each at a time, may crash
 * anywhere and may come back with any pid, while another party deletes or replaces the file. The model can also explore
 * a protocol without one of its steps: it then finds the known holes, which proves that it would see them.
 */

/** Which steps the protocol takes. */
export interface Protocol {
  /** After the lock: does the path still name the locked inode? */
  readonly inodeCheck: boolean;
  /** On release: unlink the file, then close it. */
  readonly unlinkBeforeClose: boolean;
  /** The owner's mark on the directory, counted by newcomers. */
  readonly mark: boolean;
  /** A hole on purpose: an owner is trusted as long as some process has its pid. */
  readonly trustsPid: boolean;
  /**
   * Holes on purpose: when a newcomer does without counting the marks, once it has the lock. "after a dead owner": when the file holds
   * the record of a process that has ended. "after a look while refused": when it has counted them while it was refused, and
   * there was no other mark than the owner's.
   */
  readonly skipsMarks: "never" | "after a dead owner" | "after a look while refused";
}

/** What may happen besides the protocol. */
export interface World {
  readonly crashes: number;
  readonly deletions: number;
}

/** What an exploration found. A trace is the list of steps that led there. */
export interface Exploration {
  readonly states: number;
  readonly twoOwners: readonly string[] | undefined;
  /** Nobody owns, and no sequence without a crash or a deletion leads to an owner again. */
  readonly wedge: readonly string[] | undefined;
}

type Place =
  | "idle"
  | "opened"
  | "locked"
  | "checked"
  | "marked"
  | "alone"
  | "written"
  | "owning"
  | "restoring"
  | "relocked"
  | "withdrawing"
  | "unmarked"
  | "half-released";

/**
 * One process. `fd` and `newFd` are inodes or 0; a process that has locked an inode holds the lock until it closes it.
 */
interface Actor {
  place: Place;
  pid: number;
  fd: number;
  isLocked: boolean;
  newFd: number;
  isNewLocked: boolean;
  hasCreated: boolean;
  hasMark: boolean;
  /** Refused at a moment when there was one mark at most. */
  sawOneMark: boolean;
}

/**
 * `path` is the inode that the path names, or 0. `records` says which pid each inode's record names. The number is
 * negative once the process that wrote it has ended, whichever process has its pid then. It is 0 or missing for an empty
 * file.
 */
interface State {
  path: number;
  records: Record<number, number>;
  actors: Actor[];
  crashes: number;
  deletions: number;
}

const ACTORS = 3;
/** The record of an owner that ended before any of the processes began. */
const LONG_GONE = -(ACTORS + 1);
const OWNS: ReadonlySet<Place> = new Set(["owning", "restoring", "relocked"]);

/** Explores every state that the protocol can reach in that world. */
export function explore(protocol: Protocol, world: World): Exploration {
  const first: State = {
    path: 0,
    records: {},
    actors: Array.from({ length: ACTORS }, (_, index) => newActor(index + 1)),
    ...world,
  };
  const firstKey = keyOf(first, protocol);
  const cameFrom = new Map<string, { from: string; step: string } | undefined>([[firstKey, undefined]]);
  const calmPredecessors = new Map<string, string[]>();
  const owned: string[] = [];
  const unowned: string[] = [];
  const queue = [{ key: firstKey, state: first }];
  const traceTo = (key: string): readonly string[] => {
    const steps: string[] = [];
    for (let at = cameFrom.get(key); at !== undefined; at = cameFrom.get(at.from)) steps.unshift(at.step);
    return steps;
  };
  for (const { key, state } of queue) {
    const owners = state.actors.filter(({ place }) => OWNS.has(place)).length;
    if (owners > 1) return { states: queue.length, twoOwners: traceTo(key), wedge: undefined };
    (owners === 1 ? owned : unowned).push(key);
    for (const { step, isCalm, next } of successors(state, protocol)) {
      const nextKey = keyOf(next, protocol);
      if (isCalm) {
        const before = calmPredecessors.get(nextKey);
        if (before === undefined) calmPredecessors.set(nextKey, [key]);
        else before.push(key);
      }
      if (cameFrom.has(nextKey)) continue;
      cameFrom.set(nextKey, { from: key, step });
      queue.push({ key: nextKey, state: next });
    }
  }
  // Backwards from every owner: a state that is not reached can never lead to an owner again.
  const hopeful = new Set(owned);
  const pending = [...owned];
  for (let key = pending.pop(); key !== undefined; key = pending.pop()) {
    for (const before of calmPredecessors.get(key) ?? []) {
      if (!hopeful.has(before)) {
        hopeful.add(before);
        pending.push(before);
      }
    }
  }
  const wedged = unowned.find((key) => !hopeful.has(key));
  return { states: queue.length, twoOwners: undefined, wedge: wedged === undefined ? undefined : traceTo(wedged) };
}

interface Step {
  readonly step: string;
  /** Neither a crash nor a deletion. */
  readonly isCalm: boolean;
  readonly next: State;
}

function* successors(state: State, protocol: Protocol): Generator<Step> {
  for (const [index, { place, pid }] of state.actors.entries()) {
    const next = copyOf(state);
    const actor = next.actors[index];
    if (actor === undefined) continue;
    const step = `${pid}: ${advance(next, actor, protocol)} (was ${place})`;
    yield { step, isCalm: true, next };
    if (place === "owning") {
      const releasing = copyOf(state);
      const releaser = releasing.actors[index];
      if (releaser === undefined) continue;
      releaser.hasMark = false;
      releaser.place = "unmarked";
      yield { step: `${pid}: begins to release`, isCalm: true, next: releasing };
    }
    if (state.crashes > 0 && place !== "idle") {
      // It comes back under any pid that is free then, its own included.
      for (let reused = 1; reused <= ACTORS; reused++) {
        if (state.actors.some((other, at) => at !== index && other.pid === reused)) continue;
        const crashed = copyOf(state);
        crashed.actors[index] = newActor(reused);
        for (const [inode, recorded] of Object.entries(crashed.records)) {
          if (recorded === pid) crashed.records[Number(inode)] = -pid;
        }
        crashed.crashes -= 1;
        yield { step: `${pid}: crashes, comes back as ${reused}`, isCalm: false, next: crashed };
      }
    }
  }
  if (state.deletions > 0 && state.path !== 0) {
    const deleted = { ...copyOf(state), path: 0, deletions: state.deletions - 1 };
    yield { step: "somebody deletes the file", isCalm: false, next: deleted };
    const replaced = { ...copyOf(deleted), path: newInode(state) };
    replaced.records[replaced.path] = state.records[state.path] ?? 0;
    yield { step: "somebody replaces the file by a copy", isCalm: false, next: replaced };
    const restored = { ...copyOf(deleted), path: newInode(state) };
    restored.records[restored.path] = LONG_GONE;
    yield { step: "somebody puts back an old copy of a dead owner's file", isCalm: false, next: restored };
  }
}

/** Takes the actor's next step in place, and returns its name. */
function advance(state: State, actor: Actor, protocol: Protocol): string {
  switch (actor.place) {
    case "idle":
      actor.hasCreated = state.path === 0;
      if (actor.hasCreated) state.path = emptyInode(state);
      actor.fd = state.path;
      actor.place = "opened";
      return actor.hasCreated ? "creates the file" : "opens the file";
    case "opened":
      if (isHeld(state, actor.fd)) {
        const sawOneMark = countMarks(state) <= 1;
        close(actor);
        // Only a protocol that uses it remembers it: for others the states would be the same.
        actor.sawOneMark = protocol.skipsMarks === "after a look while refused" && sawOneMark;
        return "is refused";
      }
      actor.isLocked = true;
      actor.place = "locked";
      return "locks";
    case "locked":
      if (protocol.inodeCheck && state.path !== actor.fd) {
        close(actor);
        return "sees another inode at the path";
      }
      actor.place = "checked";
      return "checks the inode";
    case "checked":
      if (protocol.trustsPid && isTrusted(state, actor)) {
        actor.place = "withdrawing";
        return "believes in the recorded pid";
      }
      actor.hasMark = protocol.mark;
      actor.place = "marked";
      return "leaves its mark";
    case "marked":
      actor.place = "alone";
      if (skipsMarks(state, actor, protocol)) return "does not count the marks";
      if (countMarks(state) > 1) {
        actor.hasMark = false;
        actor.place = "withdrawing";
        return "sees another's mark";
      }
      return "sees no other mark";
    case "alone":
      state.records[actor.fd] = actor.pid;
      actor.place = "written";
      return "writes its record";
    case "written":
      if (protocol.inodeCheck && state.path !== actor.fd) {
        actor.hasMark = false;
        actor.place = "withdrawing";
        return "sees another inode at the path";
      }
      actor.place = "owning";
      return "owns";
    case "withdrawing":
      if (actor.hasCreated && state.path === actor.fd) state.path = 0;
      close(actor);
      return "withdraws";
    case "owning":
      if (state.path === actor.fd) return "looks, all is well";
      if (state.path === 0) state.path = emptyInode(state);
      actor.newFd = state.path;
      actor.place = "restoring";
      return "opens the file anew";
    case "restoring":
      if (isHeld(state, actor.newFd)) {
        if (protocol.mark) {
          // Its owner sees our mark and withdraws.
          actor.newFd = 0;
          actor.place = "owning";
          return "tries again later";
        }
        close(actor);
        return "has lost the lock and stops";
      }
      actor.isNewLocked = true;
      actor.place = "relocked";
      return "locks it anew";
    case "relocked":
      if (state.path === actor.newFd) {
        actor.fd = actor.newFd;
        state.records[actor.fd] = actor.pid;
      }
      actor.newFd = 0;
      actor.isNewLocked = false;
      actor.place = "owning";
      return "checks the inode anew";
    case "unmarked":
      if (protocol.unlinkBeforeClose) {
        if (state.path === actor.fd) state.path = 0;
      } else {
        actor.isLocked = false;
      }
      actor.place = "half-released";
      return protocol.unlinkBeforeClose ? "unlinks" : "lets the lock go";
    case "half-released":
      if (!protocol.unlinkBeforeClose && state.path === actor.fd) state.path = 0;
      close(actor);
      return protocol.unlinkBeforeClose ? "lets the lock go" : "unlinks";
  }
}

function newActor(pid: number): Actor {
  return {
    place: "idle",
    pid,
    fd: 0,
    isLocked: false,
    newFd: 0,
    isNewLocked: false,
    hasCreated: false,
    hasMark: false,
    sawOneMark: false,
  };
}

/** Closes everything; a process that has finished starts again. */
function close(actor: Actor): void {
  Object.assign(actor, newActor(actor.pid));
}

function isHeld(state: State, inode: number): boolean {
  return state.actors.some(
    (actor) => (actor.fd === inode && actor.isLocked) || (actor.newFd === inode && actor.isNewLocked),
  );
}

function countMarks(state: State): number {
  return state.actors.filter(({ hasMark }) => hasMark).length;
}

function skipsMarks(state: State, actor: Actor, { skipsMarks: when }: Protocol): boolean {
  if (when === "after a dead owner") return !actor.hasCreated && (state.records[actor.fd] ?? 0) < 0;
  return when === "after a look while refused" && actor.sawOneMark;
}

/**
 * Every pid of this world belongs to a living process; a process knows only of its own pid that it is not the old
 * owner's.
 */
function isTrusted(state: State, actor: Actor): boolean {
  const recorded = Math.abs(state.records[actor.fd] ?? 0);
  return recorded !== 0 && state.actors.some(({ pid }) => pid === recorded);
}

function newInode(state: State): number {
  const used = [state.path, ...state.actors.flatMap(({ fd, newFd }) => [fd, newFd])];
  for (let inode = 1; ; inode++) if (!used.includes(inode)) return inode;
}

/** Starts to use an inode that holds no record. */
function emptyInode(state: State): number {
  const inode = newInode(state);
  state.records[inode] = 0;
  return inode;
}

function copyOf(state: State): State {
  return { ...state, records: { ...state.records }, actors: state.actors.map((actor) => ({ ...actor })) };
}

/**
 * Returns one text for all states that differ only in the numbers of inodes, or in records that the protocol does not
 * read.
 */
function keyOf(state: State, protocol: Protocol): string {
  const names = new Map<number, number>([[0, 0]]);
  const nameOf = (inode: number): number => {
    const known = names.get(inode);
    if (known !== undefined) return known;
    names.set(inode, names.size);
    return names.size - 1;
  };
  let key = `${nameOf(state.path)}/${state.crashes}/${state.deletions}`;
  for (const { place, pid, fd, isLocked, newFd, isNewLocked, hasCreated, hasMark, sawOneMark } of state.actors) {
    const flags =
      (isLocked ? 1 : 0) + (isNewLocked ? 2 : 0) + (hasCreated ? 4 : 0) + (hasMark ? 8 : 0) + (sawOneMark ? 16 : 0);
    key += `|${place}${protocol.trustsPid ? pid : ""},${nameOf(fd)},${nameOf(newFd)},${flags}`;
  }
  for (const inode of names.keys()) {
    const recorded = state.records[inode] ?? 0;
    if (protocol.trustsPid) key += `|${recorded}`;
    else if (protocol.skipsMarks === "after a dead owner") key += `|${Math.sign(recorded)}`;
  }
  return key;
}
