/**
 * The environment of a gateway, and of the keeper that starts it: an allow-list from the starter's, the variables that the
 * owner passes on, and the profile's own values. Colours are off unless the profile says otherwise. Pure. Variables that
 * change how programs load code (`NODE_OPTIONS`, `LD_*`, ...) and another profile's variables are not on the list: they are
 * passed only by the owner's explicit choice.
 */

/** Variables that programs need to find their tools, their user, their language and the network; none of them loads code. */
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
/**
 * The output goes to a log, whatever a program assumes. Source: no-color.org, bixense.com/clicolors. A profile that sets one
 * of these itself decides for itself.
 */
const WITHOUT_COLOURS = { NO_COLOR: "1", CLICOLOR: "0" } as const;
const COLOUR_NAMES = ["NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] as const;

const ALLOWED_PREFIXES = ["LC_", "XDG_", "SSL_CERT_"];

/** The sources of a child's environment. */
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
  const inherited: [string, string][] = [];
  for (const name of Object.keys(from)) {
    const value = isAllowed(name) || pass.includes(name) ? from[name] : undefined;
    if (value !== undefined) inherited.push([name, value]);
  }
  const said = COLOUR_NAMES.some((name) => Object.hasOwn(own, name) || pass.includes(name));
  return { ...(said ? {} : WITHOUT_COLOURS), ...Object.fromEntries(inherited), ...own };
}

function isAllowed(name: string): boolean {
  return ALLOWED_NAMES.has(name) || ALLOWED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/**
 * Variables that Node, its libraries or the loader obey at start. A keeper passes them to its gateway and must not obey them
 * itself.
 */
const OBEYED = /^(?:NODE_|LD_|DYLD_|OPENSSL_|SSLKEYLOGFILE$|MALLOC_|GLIBC_|UV_)/;
const CARRIED_PREFIX = "LOCKKEEPER_CARRIED_";

/**
 * The keeper's own: with these glibc returns at once the memory that loading the program took, some 3 MiB that a keeper would
 * hold for months. In bytes. Source: mallopt(3); other libraries ignore them.
 */
const ALLOCATOR = { MALLOC_TRIM_THRESHOLD_: "65536", MALLOC_MMAP_THRESHOLD_: "65536" } as const;

/** What a keeper's environment is made of. */
export interface KeeperEnvironmentSources extends Omit<ChildEnvironmentSources, "own"> {
  readonly home: string;
  /** Whether it has to know whose certificates count: Node 20 reads them all at its start, 1.1 MiB that it keeps. */
  readonly speaksTls: boolean;
}

/** Returns the complete environment of a keeper: the allow-list and the names in `pass`, those that would change it under another name. */
export function buildKeeperEnvironment({
  home,
  from,
  pass,
  speaksTls,
}: KeeperEnvironmentSources): Record<string, string> {
  const passed = buildChildEnvironment({ from, pass, own: { LOCKKEEPER_HOME: home } });
  const carried = Object.entries(passed).map(([name, value]) =>
    OBEYED.test(name) && !(speaksTls && isAllowed(name)) ? [`${CARRIED_PREFIX}${name}`, value] : [name, value],
  );
  return Object.fromEntries([...carried, ...Object.entries(ALLOCATOR)]);
}

/** Returns the environment of a keeper under the names that its gateway should see. */
export function unpackKeeperEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env)
      .filter(([name]) => !Object.hasOwn(ALLOCATOR, name))
      .map(([name, value]) => [name.startsWith(CARRIED_PREFIX) ? name.slice(CARRIED_PREFIX.length) : name, value]),
  );
}
