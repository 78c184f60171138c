/** The words of `--health` and what they mean: `/path`, `tcp` or `none`. Pure but for `checkHealth`. */
import { type Health, LockkeeperError, probeHealth, probeListener } from "@lockkeeper/core";
import type { KindName } from "../manifest.ts";
import type { HealthCheck } from "../gateway-kind.ts";

/**
 * Returns the check that `text` stands for. A path means 200 with `{"ok":true}` for gateways that are known to answer
 * so, and any 2xx for other programs.
 *
 * @throws {LockkeeperError} OPTION_INVALID for anything but a path, `tcp` and `none`.
 */
export function parseHealthCheck(text: string, kind: KindName): HealthCheck {
  if (text === "tcp" || text === "none") return { kind: text };
  if (/^\/[\x21-\x7e]*$/.test(text))
    return { kind: "http", path: text, expect: kind === "command" ? "2xx" : "ok-body" };
  throw new LockkeeperError("OPTION_INVALID", `not a health check: ${JSON.stringify(text)}`, {
    hint: "Give a path that answers 2xx (/healthz), or tcp, or none.",
  });
}

/** Returns the word for a check, the inverse of {@link parseHealthCheck}. */
export function formatHealthCheck(check: HealthCheck): string {
  return check.kind === "http" ? check.path : check.kind;
}

/** Asks the gateway itself, now. `unknown` where the check is `none`. */
export async function checkHealth(check: HealthCheck, host: string, port: number): Promise<Health> {
  switch (check.kind) {
    case "none":
      return "unknown";
    case "tcp": {
      const seen = await probeListener(host, port);
      return seen === "listening" ? "ok" : seen === "silent" ? "failing" : "unknown";
    }
    case "http":
      return (await probeHealth({ host, port, path: check.path, expect: check.expect })).health;
  }
}
