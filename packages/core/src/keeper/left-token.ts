/**
 * The token of the last owner, in a file beside the state that it has written. An owner with a smaller token is a past one, and an
 * owner from another cluster of etcd knows nothing about the owners here: neither may have the state again. Loaded with a lease.
 */
import { LockkeeperError } from "../errors.ts";
import { shellCommand } from "../shell-quote.ts";
import { replaceFile } from "../storage/durable-file.ts";
import { readIfPresentSync } from "../storage/small-file.ts";
import type { KeeperLease } from "./keeper-spec.ts";

/** Tokens of one key are comparable within one cluster of etcd. */
interface LeftToken {
  readonly key: string;
  readonly token: string;
  /** Missing where the server did not tell. */
  readonly cluster?: string | undefined;
}

/**
 * On return the state names this owner as its last one.
 *
 * @param cluster of the server that gave the token; undefined where it does not tell.
 * @throws {LockkeeperError} LEASE_UNAVAILABLE when the last owner has a greater token or comes from another cluster; file errors.
 */
export async function leaveToken(
  { lease, profile }: { readonly lease: KeeperLease; readonly profile: string },
  token: string,
  cluster: string | undefined,
): Promise<void> {
  const { tokenPath, settings } = lease;
  const { key } = settings;
  const last = parseToken(readIfPresentSync(tokenPath));
  if (last?.key === key) {
    const isOther = last.cluster !== undefined && cluster !== undefined && last.cluster !== cluster;
    if (isOther) throw usedBefore(lease, profile, `in the etcd cluster ${last.cluster}, and this is ${cluster}`);
    if (BigInt(last.token) > BigInt(token)) {
      throw usedBefore(lease, profile, `with token ${last.token}, and etcd gave ${token}`);
    }
  }
  const left: LeftToken = { key, token, cluster };
  await replaceFile(tokenPath, `${JSON.stringify(left)}\n`);
}

function usedBefore({ tokenPath }: KeeperLease, profile: string, how: string): LockkeeperError {
  return new LockkeeperError("LEASE_UNAVAILABLE", `the state of ${profile} was last used ${how}`, {
    evidence: [tokenPath],
    hint: `Somebody put etcd back to an older state, or replaced it. When no other host owns the profile: ${shellCommand("rm", tokenPath)}`,
  });
}

function parseToken(text: string | undefined): LeftToken | undefined {
  try {
    const { key, token, cluster } = JSON.parse(text ?? "") as Partial<Record<keyof LeftToken, unknown>>;
    if (typeof key !== "string" || typeof token !== "string" || !/^\d+$/u.test(token)) return undefined;
    return { key, token, ...(typeof cluster === "string" ? { cluster } : {}) };
  } catch {
    // An incomplete file says nothing about an owner.
    return undefined;
  }
}
