/**
 * Where the lease of a profile lies, and how it is written: `etcd://h1:2379,h2:2379,h3:2379/key?ttl=30s`. Pure. Secrets
 * never stand in an address: it is shown by `status`, kept in the registry and typed on command lines.
 */
import { LockkeeperError } from "../errors.ts";

/** A lease that decides which host may run a gateway. */
export interface LeaseSettings {
  readonly engine: "etcd";
  /** Base URLs, tried in this order: `http://h1:2379`. */
  readonly endpoints: readonly string[];
  readonly key: string;
  /** How long the lease outlives its last renewal, in seconds. */
  readonly ttlSeconds: number;
  /** Does a start wait while another host owns the lease? Else it fails. */
  readonly standby: boolean;
  /** Absolute path of a file (mode 0600) with user, password and certificates. */
  readonly credentialsFile?: string | undefined;
}

/** What an address leaves out. Times in seconds. */
const DEFAULTS = {
  port: 2379,
  ttlSeconds: 30,
  /** A shorter one costs the owner its gateway whenever etcd elects a leader: measured at 3 s, in 4 of 5 runs. */
  leastTtlSeconds: 10,
  mostTtlSeconds: 3_600,
  longestKey: 512,
};

const EXAMPLE = "etcd://h1:2379,h2:2379,h3:2379/lockkeeper/prod";

/**
 * Returns the settings that `text` says. `etcds://` is the same over TLS. After `?` come `ttl` (`30s`), `standby` (`yes`
 * or `no`) and `credentials` (an absolute path).
 *
 * @throws {LockkeeperError} OPTION_INVALID naming the part that is wrong.
 */
export function parseLeaseAddress(text: string): LeaseSettings {
  const parts = /^(etcds?):\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/u.exec(text);
  if (parts === null) throw invalid(hideUser(text), "it is not of the form etcd://host:port,host:port/key");
  const [, scheme = "", hosts = "", path = "", query = ""] = parts;
  if (hosts.includes("@")) {
    throw invalid(
      hideUser(text),
      "a user and a password do not belong into an address",
      "Put them into a file of mode 0600 and name it: ?credentials=/path/to/file",
    );
  }
  const endpoints = hosts.split(",").map((host) => parseEndpoint(text, scheme === "etcds" ? "https" : "http", host));
  if (new Set(endpoints).size !== endpoints.length) throw invalid(text, "it names an endpoint twice");
  const key = decode(text, path);
  if (key === "") throw invalid(text, "the key is missing");
  // oxlint-disable-next-line no-control-regex -- control characters are what must not be there.
  if (key.length > DEFAULTS.longestKey || /[\u0000-\u0020\u007f]/u.test(key)) {
    throw invalid(text, `a key is at most ${DEFAULTS.longestKey} characters without blanks`);
  }
  return { engine: "etcd", endpoints, key, ...parseQuery(text, query) };
}

/** Returns the address that {@link parseLeaseAddress} reads as `settings`; what is usual is left out. */
export function formatLeaseAddress({ endpoints, key, ttlSeconds, standby, credentialsFile }: LeaseSettings): string {
  const scheme = endpoints.some((endpoint) => endpoint.startsWith("https:")) ? "etcds" : "etcd";
  const hosts = endpoints.map((endpoint) => endpoint.replace(/^https?:\/\//u, "")).join(",");
  const query = new URLSearchParams();
  if (ttlSeconds !== DEFAULTS.ttlSeconds) query.set("ttl", `${ttlSeconds}s`);
  if (!standby) query.set("standby", "no");
  if (credentialsFile !== undefined) query.set("credentials", credentialsFile);
  const tail = query.size === 0 ? "" : `?${query.toString().replaceAll("%2F", "/")}`;
  return `${scheme}://${hosts}/${key.split("/").map(encodeURIComponent).join("/")}${tail}`;
}

/** Says what is wrong with `value` as the settings of a lease, for whoever reads them from a file; undefined when nothing is. */
export function findLeaseFault(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return "expected an object";
  const lease = value as Partial<Record<keyof LeaseSettings, unknown>>;
  if (lease.engine !== "etcd") return 'engine: expected "etcd"';
  const { endpoints, key, ttlSeconds, standby, credentialsFile } = lease;
  if (!Array.isArray(endpoints) || endpoints.length === 0) return "endpoints: expected a list of URLs";
  if (!endpoints.every((each) => typeof each === "string" && /^https?:\/\//u.test(each))) {
    return "endpoints: expected http:// or https:// URLs";
  }
  if (typeof key !== "string" || key === "") return "key: expected text";
  if (typeof ttlSeconds !== "number" || !isTtl(ttlSeconds)) return `ttlSeconds: expected ${TTL_RANGE}`;
  if (typeof standby !== "boolean") return "standby: expected true or false";
  if (credentialsFile !== undefined && typeof credentialsFile !== "string") return "credentialsFile: expected a path";
  return undefined;
}

const TTL_RANGE = `a whole number of seconds from ${DEFAULTS.leastTtlSeconds} to ${DEFAULTS.mostTtlSeconds}`;

function isTtl(seconds: number): boolean {
  return Number.isSafeInteger(seconds) && seconds >= DEFAULTS.leastTtlSeconds && seconds <= DEFAULTS.mostTtlSeconds;
}

function parseEndpoint(text: string, protocol: "http" | "https", host: string): string {
  let url: URL;
  try {
    url = new URL(`${protocol}://${host}`);
  } catch {
    throw invalid(text, `${JSON.stringify(host)} is no host with a port`);
  }
  // A URL leaves its protocol's own port out, and then it was meant.
  const port = /:(\d+)$/u.exec(host)?.[1] ?? String(DEFAULTS.port);
  if (url.hostname === "" || port === "0") throw invalid(text, `${JSON.stringify(host)} is no host with a port`);
  return `${protocol}://${url.hostname}:${Number(port)}`;
}

function parseQuery(text: string, query: string): Pick<LeaseSettings, "ttlSeconds" | "standby" | "credentialsFile"> {
  let ttlSeconds = DEFAULTS.ttlSeconds;
  let standby = true;
  let credentialsFile: string | undefined;
  for (const [name, value] of new URLSearchParams(query)) {
    switch (name) {
      case "ttl": {
        const [, amount, unit = "s"] = /^(\d+)(s|m)?$/u.exec(value) ?? [];
        ttlSeconds = amount === undefined ? Number.NaN : Number(amount) * (unit === "m" ? 60 : 1);
        if (!isTtl(ttlSeconds)) throw invalid(text, `ttl is ${value}, expected ${TTL_RANGE}`);
        break;
      }
      case "standby":
        if (value !== "yes" && value !== "no") throw invalid(text, `standby is ${value}, expected yes or no`);
        standby = value === "yes";
        break;
      case "credentials":
        if (!value.startsWith("/")) throw invalid(text, `the path of the credentials is not absolute: ${value}`);
        credentialsFile = value;
        break;
      default:
        throw invalid(text, `it knows no ${name}; there are ttl, standby and credentials`);
    }
  }
  return { ttlSeconds, standby, ...(credentialsFile === undefined ? {} : { credentialsFile }) };
}

function decode(text: string, path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw invalid(text, "a % in the key is not followed by two hexadecimal digits");
  }
}

/** A password that was typed into an address must not be shown again. */
function hideUser(text: string): string {
  return text.replace(/\/\/.*@/u, "//...@");
}

function invalid(text: string, fact: string, hint = `For example: --lease ${EXAMPLE}`): LockkeeperError {
  return new LockkeeperError("OPTION_INVALID", `lease address ${text}: ${fact}`, { hint });
}
