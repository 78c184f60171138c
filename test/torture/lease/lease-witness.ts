/**
 * Judges what the gateways of a lease's torture wrote into one file, which kept the order of their writes. Pure. It
 * plays a store that accepts a write when no greater token has written before: that is fencing.
 */

/** One write of one gateway. */
export interface Write {
  readonly host: string;
  readonly token: bigint;
  /** On the machine's monotonic clock, in milliseconds. */
  readonly atMs: number;
}

/** The result of the writes. */
export interface WriteVerdict {
  /** How many gateways wrote. */
  readonly owners: number;
  /** The longest time that an owner wrote at the same time as the next one, in milliseconds; 0: never two. */
  readonly overlapMs: number;
  /** Writes that came after a later owner's first one and that the token refused. */
  readonly staleWrites: number;
  /** Stale writes that the store accepted: a token was not greater than the one before. */
  readonly acceptedStale: number;
}

/** Parses whole lines `W <host> <token> <ns>`; a line that a death cut short is left out. */
export function parseWrites(text: string): readonly Write[] {
  return text.split("\n").flatMap((line) => {
    const [, host = "", token = "", atNs = ""] = /^W (\S+) (\d+) (\d{6,})$/u.exec(line) ?? [];
    return host === "" ? [] : [{ host, token: BigInt(token), atMs: Number(BigInt(atNs) / 1_000n) / 1_000 }];
  });
}

/** Judges the writes, given in the order of the file. */
export function judgeWrites(writes: readonly Write[]): WriteVerdict {
  const firsts = new Map<string, Write>();
  const lasts = new Map<string, Write>();
  let greatest = -1n;
  let staleWrites = 0;
  let acceptedStale = 0;
  let latest: string | undefined;
  for (const write of writes) {
    const owner = `${write.host} ${write.token}`;
    const isNew = !firsts.has(owner);
    if (isNew) firsts.set(owner, write);
    lasts.set(owner, write);
    if (isNew) latest = owner;
    const isStale = owner !== latest;
    if (isStale) staleWrites += 1;
    if (isStale && write.token >= greatest) acceptedStale += 1;
    if (write.token > greatest) greatest = write.token;
  }
  let overlapMs = 0;
  const owners = [...firsts.keys()];
  for (const [index, owner] of owners.entries()) {
    const next = firsts.get(owners[index + 1] ?? "");
    const last = lasts.get(owner);
    if (next !== undefined && last !== undefined) overlapMs = Math.max(overlapMs, last.atMs - next.atMs);
  }
  return { owners: owners.length, overlapMs, staleWrites, acceptedStale };
}
