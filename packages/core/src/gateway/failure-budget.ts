/**
 * Limits how often a source may send a wrong token before it is refused without a check. An attempt is counted before it is
 * verified and given back only when it was right, so simultaneous attempts get no extra guesses. Memory is bounded: when the
 * table is full, new sources are counted by their network, and when that table is full too, all together. Sources on this
 * machine are few and always have their own entries. Pure except for its own tables; the clock is an argument. Used by the
 * request guard only.
 */

/** The limits of {@link createFailureBudget}. */
export interface BudgetLimits {
  /** How many failures within `windowMs` lead to a refusal. */
  readonly failures: number;
  readonly windowMs: number;
  /** How long a source is then refused, even with the right token. */
  readonly refusalMs: number;
  /** Sources remembered at once, and as many networks. */
  readonly sources: number;
}

/** The source that an attempt is charged to. */
export interface AttemptSource {
  readonly key: string;
  /** The wider network that it belongs to; null for a source of this machine. */
  readonly network: string | null;
}

/**
 * `admitted`: counted as a failure until `giveBack`. `refused`: for `waitMs` more milliseconds; `first` marks the first one of
 * a refusal, so that the owner is told once.
 */
export type Attempt =
  | { readonly verdict: "admitted"; readonly giveBack: () => void }
  | { readonly verdict: "refused"; readonly waitMs: number; readonly first: boolean };

interface Account {
  /** Times of the attempts that count as failures, oldest first; never more than `failures`. */
  attempts: number[];
  refusedUntil: number;
  told: boolean;
}

function newAccount(): Account {
  return { attempts: [], refusedUntil: Number.NEGATIVE_INFINITY, told: false };
}

/** Returns the function that counts an attempt of `source` at the monotonic time `now`, in milliseconds. */
export function createFailureBudget(limits: BudgetLimits): (source: AttemptSource, now: number) => Attempt {
  const local = new Map<string, Account>();
  const sources = new Map<string, Account>();
  const networks = new Map<string, Account>();
  const everybodyElse = newAccount();

  const isForgettable = (account: Account, now: number): boolean =>
    account.refusedUntil <= now && (account.attempts.at(-1) ?? Number.NEGATIVE_INFINITY) <= now - limits.windowMs;

  /** Makes room for one more if possible: removes expired entries, or else the oldest with a single failure. */
  const hasRoom = (table: Map<string, Account>, now: number): boolean => {
    if (table.size < limits.sources) return true;
    for (const [other, account] of table) if (isForgettable(account, now)) table.delete(other);
    if (table.size < limits.sources) return true;
    for (const [other, account] of table) {
      if (account.attempts.length <= 1 && account.refusedUntil <= now) return table.delete(other);
    }
    return false;
  };

  const accountIn = (table: Map<string, Account>, key: string): Account => {
    const account = table.get(key) ?? newAccount();
    table.set(key, account);
    return account;
  };

  const accountOf = ({ key, network }: AttemptSource, now: number): Account => {
    if (network === null) return accountIn(local, key);
    if (sources.has(key) || hasRoom(sources, now)) return accountIn(sources, key);
    if (networks.has(network) || hasRoom(networks, now)) return accountIn(networks, network);
    return everybodyElse;
  };

  return (source, now) => {
    const account = accountOf(source, now);
    if (account.refusedUntil > now) {
      const first = !account.told;
      account.told = true;
      return { verdict: "refused", waitMs: account.refusedUntil - now, first };
    }
    account.told = false;
    account.attempts = account.attempts.filter((at) => at > now - limits.windowMs);
    account.attempts.push(now);
    const refusedUntilBefore = account.refusedUntil;
    if (account.attempts.length >= limits.failures) account.refusedUntil = now + limits.refusalMs;
    return {
      verdict: "admitted",
      giveBack: () => {
        const index = account.attempts.lastIndexOf(now);
        if (index !== -1) account.attempts.splice(index, 1);
        if (account.attempts.length < limits.failures) account.refusedUntil = refusedUntilBefore;
      },
    };
  };
}
