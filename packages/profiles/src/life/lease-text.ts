/** The text after `--lease`: `etcd://host:port[,host:port...]/key`, with `etcds` for TLS. Pure. */
import { LockkeeperError } from "@lockkeeper/core";
import type { LeaseSettings } from "@lockkeeper/core/internal";
import { isAbsolute } from "node:path";
import { parseDurationMs } from "../amounts.ts";

/** Seconds. Source: below ten seconds, the loss of one member of the store already costs the lease. */
const TTL = { usual: 30, least: 10, most: 3_600 };
const LONGEST_KEY = 512;

const HINT = "For example: etcd://h1:2379,h2:2379,h3:2379/lockkeeper/prod?ttl=30s&standby=no&credentials=/path/to/file";

/**
 * Returns the lease that `text` describes: members, key, and as `?name=value` its `ttl` (10s to 1h, default 30s), `standby`
 * (`yes` or `no`, default `yes`) and `credentials` (an absolute path).
 *
 * @throws {LockkeeperError} OPTION_INVALID naming the fault.
 */
export function parseLease(text: string): LeaseSettings {
  const [, engine, members, key, query] = /^(etcds?):\/\/([^/?#]+)\/([^?#]+)(?:\?([^#]*))?$/.exec(text) ?? [];
  if (members?.includes("@") === true) {
    throw invalid(text.replace(/\/\/.*@/u, "//...@"), "a user and a password belong into the file of credentials");
  }
  if (engine === undefined || members === undefined || key === undefined) throw invalid(text, "it is not etcd://");
  // oxlint-disable-next-line no-control-regex -- control characters are what must not be there.
  if (/[\u0000-\u0020\u007f]/u.test(key) || key.length > LONGEST_KEY) {
    throw invalid(text, `a key is at most ${LONGEST_KEY} characters without blanks`);
  }
  const endpoints = members.split(",").map((member) => {
    const port = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):([1-9]\d{0,4})$/.exec(member)?.[1];
    if (port === undefined || Number(port) > 65_535) {
      throw invalid(text, `${JSON.stringify(member)} is not host:port`);
    }
    return `${engine === "etcds" ? "https" : "http"}://${member}`;
  });
  if (new Set(endpoints).size !== endpoints.length) throw invalid(text, "it names a member twice");
  const given = new Map(new URLSearchParams(query ?? ""));
  const unknown = [...given.keys()].find((name) => !["ttl", "standby", "credentials"].includes(name));
  if (unknown !== undefined) throw invalid(text, `it has no setting ${unknown}`);
  const standby = given.get("standby") ?? "yes";
  if (standby !== "yes" && standby !== "no") throw invalid(text, "standby is yes or no");
  const credentialsFile = given.get("credentials");
  if (credentialsFile !== undefined && !isAbsolute(credentialsFile)) {
    throw invalid(text, "credentials is an absolute path");
  }
  return {
    engine: "etcd",
    endpoints,
    key,
    ttlSeconds: parseTtl(text, given.get("ttl")),
    standby: standby === "yes",
    ...(credentialsFile === undefined ? {} : { credentialsFile }),
  };
}

/** Returns the text that {@link parseLease} reads back. */
export function formatLease({ endpoints, key, ttlSeconds, standby, credentialsFile }: LeaseSettings): string {
  const engine = endpoints[0]?.startsWith("https:") === true ? "etcds" : "etcd";
  const members = endpoints.map((endpoint) => endpoint.replace(/^https?:\/\//, "")).join(",");
  const query = [
    ...(ttlSeconds === TTL.usual ? [] : [`ttl=${ttlSeconds}s`]),
    ...(standby ? [] : ["standby=no"]),
    ...(credentialsFile === undefined ? [] : [`credentials=${encodeURIComponent(credentialsFile)}`]),
  ].join("&");
  return `${engine}://${members}/${key}${query === "" ? "" : `?${query}`}`;
}

function parseTtl(text: string, given: string | undefined): number {
  if (given === undefined) return TTL.usual;
  const seconds = (parseDurationMs(given) ?? 0) / 1_000;
  if (Number.isInteger(seconds) && seconds >= TTL.least && seconds <= TTL.most) return seconds;
  throw invalid(text, `ttl is whole seconds from ${TTL.least}s to ${TTL.most}s`);
}

function invalid(text: string, fault: string): LockkeeperError {
  return new LockkeeperError("OPTION_INVALID", `not a valid lease: ${JSON.stringify(text)}: ${fault}`, { hint: HINT });
}
