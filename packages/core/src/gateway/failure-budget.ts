/**
 * How often a source may fail to show the right token before it is refused without being looked at. An attempt is
 * counted before it is verified and given back only when it was right, so no number of attempts at once gets more
 * guesses. Memory is bounded: when the table is full, newcomers share one entry. Pure but for its own table; the
 * clock is an argument. Used by the request guard only.
 */

/** The limits of {@link failureBudget}. */
export interface BudgetLimits {
  /** Failures within `windowMs` that lead to a refusal. */
  readonly failures: number;
  readonly windowMs: number;
  /** How long a source is then refused, right or wrong. */
  readonly refusalMs: number;
  /** Sources remembered at once. */
  readonly sources: number;
}

/** `admitted`: counted as a failure until `giveBack`. `refused`: for `waitMs` more milliseconds. */
export type Attempt =
  | { readonly verdict: "admitted"; readonly giveBack: () => void }
  | { readonly verdict: "refused"; readonly waitMs: number };

interface Account {
  /** Times of the attempts that count as failures, oldest first; never more than `failures`. */
  attempts: number[];
  refusedUntil: number;
}

const SHARED = "(every other source)";

/** Returns the function that counts an attempt of `source` at the monotonic time `now`, in milliseconds. */
export function failureBudget(limits: BudgetLimits): (source: string, now: number) => Attempt {
  const accounts = new Map<string, Account>();

  const isForgettable = (account: Account, now: number): boolean =>
    account.refusedUntil <= now && (account.attempts.at(-1) ?? Number.NEGATIVE_INFINITY) <= now - limits.windowMs;

  const accountOf = (source: string, now: number): Account => {
    const known = accounts.get(source);
    if (known !== undefined) return known;
    if (accounts.size >= limits.sources) {
      for (const [other, account] of accounts) if (isForgettable(account, now)) accounts.delete(other);
    }
    const key = accounts.size >= limits.sources ? SHARED : source;
    const account = accounts.get(key) ?? { attempts: [], refusedUntil: Number.NEGATIVE_INFINITY };
    accounts.set(key, account);
    return account;
  };

  return (source, now) => {
    const account = accountOf(source, now);
    if (account.refusedUntil > now) return { verdict: "refused", waitMs: account.refusedUntil - now };
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
