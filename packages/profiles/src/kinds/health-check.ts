/** The words of `--health` and their meaning: `/path`, `http`, `tcp` or `none`. Pure except for `checkHealth`. */
import { LockkeeperError, probeHealth } from "@lockkeeper/core";
import { probeListener } from "@lockkeeper/core/internal";
import type { Health } from "@lockkeeper/core";
import { isHealthPath, webSchemeOf } from "../manifest.ts";
import type { KindName, Scheme } from "../manifest.ts";
import { kinds } from "./kinds.ts";
import type { HealthCheck } from "@lockkeeper/core";

/**
 * Returns the check for `text`. A path means 200 with `{"ok":true}` for the gateways that answer in that way, and any 2xx for
 * other programs; `http` means any answer at all.
 *
 * @param addressScheme the scheme of the gateway's address; a WebSocket server is asked by HTTP. @default "http"
 * @throws {LockkeeperError} OPTION_INVALID for anything but a path, `http`, `tcp` and `none`.
 */
export function parseHealthCheck(text: string, kind: KindName, addressScheme: Scheme = "http"): HealthCheck {
  const scheme = webSchemeOf(addressScheme);
  if (text === "tcp" || text === "none") return { kind: text };
  if (text === "http") return { kind: "answer", scheme };
  if (isHealthPath(text)) {
    return { kind: "http", path: text, expect: kind === "command" ? "2xx" : "ok-body", scheme };
  }
  throw new LockkeeperError("OPTION_INVALID", `not a health check: ${JSON.stringify(text)}`, {
    hint: "Give a path that answers 2xx (/healthz), or http (any answer), tcp, or none.",
  });
}

/** Returns the word for a check, the inverse of {@link parseHealthCheck}. */
export function formatHealthCheck(check: HealthCheck): string {
  if (check.kind === "answer") return "http";
  return check.kind === "http" ? check.path : check.kind;
}

/** Returns the default check of a profile: HTTP when its address is an HTTP address. */
export function usualHealthCheck(kind: KindName, scheme: Scheme | undefined): string {
  const { health } = kinds[kind];
  const answers = scheme === "http" || scheme === "https";
  return health.kind === "tcp" && answers ? "http" : formatHealthCheck(health);
}

/** Asks the gateway itself, now. `unknown` when the check is `none`. */
export async function checkHealth(check: HealthCheck, host: string, port: number): Promise<Health> {
  switch (check.kind) {
    case "none":
      return "unknown";
    case "tcp": {
      const seen = await probeListener(host, port);
      return seen === "listening" ? "ok" : seen === "silent" ? "failing" : "unknown";
    }
    case "answer": {
      const asked = await probeHealth({ host, port, path: "/", expect: "any", scheme: check.scheme });
      if (asked.health !== "failing") return asked.health;
      // Only its keeper knows whether it ever answered.
      return (await probeListener(host, port)) === "silent" ? "failing" : "unknown";
    }
    case "http":
      return (await probeHealth({ host, port, ...check })).health;
  }
}
