/**
 * The environment of a gateway: an allow-list from the starter's, what the owner asked to pass, and the profile's own
 * values. Pure. Variables that change how programs load code (`NODE_OPTIONS`, `LD_*`, ...) and another profile's
 * variables are not on the list: they come through only as the owner's explicit choice.
 */

/** What programs need to find their tools, their user, their language and the network, and nothing that loads code. */
const ALLOWED_NAMES: ReadonlySet<string> = new Set([
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "TZ",
  "TERM",
  "TMPDIR",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "ALL_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "all_proxy",
  "no_proxy",
  "NODE_EXTRA_CA_CERTS",
]);
const ALLOWED_PREFIXES = ["LC_", "XDG_", "SSL_CERT_"];

/** What a child's environment is made of. */
export interface ChildEnvironmentSources {
  /** The starter's environment. */
  readonly from: NodeJS.ProcessEnv;
  /** The profile's own values; they win. */
  readonly own: Readonly<Record<string, string>>;
  /** Names to take from the starter's environment as they are. */
  readonly pass: readonly string[];
}

/** Returns the complete environment for a child. */
export function buildChildEnvironment({ from, own, pass }: ChildEnvironmentSources): Record<string, string> {
  const passed = new Set(pass);
  const inherited = Object.entries(from).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && (isAllowed(entry[0]) || passed.has(entry[0])),
  );
  return Object.fromEntries([...inherited, ...Object.entries(own)]);
}

function isAllowed(name: string): boolean {
  return ALLOWED_NAMES.has(name) || ALLOWED_PREFIXES.some((prefix) => name.startsWith(prefix));
}
