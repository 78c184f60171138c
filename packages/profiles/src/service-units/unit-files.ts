/**
 * Reads what a unit file starts: argv, environment, working directory. Pure. Understands as much of each format as the units
 * of gateways use and leaves out the rest.
 */

/** The content of a unit file, as far as it matters here. */
export interface UnitText {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string | null;
  /** The account that it runs as, a name or a number; null for the manager's own. */
  readonly user: string | null;
  /** `EnvironmentFile=` as written; a leading `-` means that it may be missing. */
  readonly environmentFiles: readonly string[];
  /** `PassEnvironment=`: names that come from the manager's own environment. */
  readonly passEnvironment: readonly string[];
}

/**
 * Returns what a systemd service starts, its drop-ins given after the unit itself; undefined when it starts nothing.
 *
 * Source: systemd.unit(5), systemd.syntax(7): a line that ends in a backslash continues; an empty assignment resets a list.
 */
export function parseSystemdUnit(texts: readonly string[]): UnitText | undefined {
  let argv: readonly string[] = [];
  let environment: Record<string, string> = {};
  let workingDirectory: string | null = null;
  let user: string | null = null;
  let environmentFiles: readonly string[] = [];
  let passEnvironment: readonly string[] = [];
  for (const [key, value] of texts.flatMap(serviceAssignments)) {
    if (key === "ExecStart") argv = value === "" ? [] : splitWords(withoutPrefix(value));
    if (key === "WorkingDirectory") workingDirectory = (value.startsWith("-") ? value.slice(1) : value) || null;
    if (key === "Environment") environment = value === "" ? {} : { ...environment, ...assignments(splitWords(value)) };
    if (key === "User") user = value || null;
    if (key === "EnvironmentFile") environmentFiles = value === "" ? [] : [...environmentFiles, value];
    if (key === "PassEnvironment") passEnvironment = value === "" ? [] : [...passEnvironment, ...splitWords(value)];
  }
  if (argv.length === 0) return undefined;
  return { argv, environment, workingDirectory, user, environmentFiles, passEnvironment };
}

/**
 * Returns what a launchd property list starts; undefined for one that starts nothing or is not XML.
 *
 * Source: launchd.plist(5). Untested on macOS.
 */
export function parseLaunchdPlist(text: string): UnitText | undefined {
  const argv = strings(/<key>ProgramArguments<\/key>\s*<array>([^]*?)<\/array>/.exec(text)?.[1] ?? "");
  if (argv.length === 0) return undefined;
  const dictionary = /<key>EnvironmentVariables<\/key>\s*<dict>([^]*?)<\/dict>/.exec(text)?.[1] ?? "";
  const pairs = dictionary.matchAll(/<key>([^<]*)<\/key>\s*<string>([^<]*)<\/string>/g);
  const directory = /<key>WorkingDirectory<\/key>\s*<string>([^<]*)<\/string>/.exec(text)?.[1];
  return {
    argv,
    environment: Object.fromEntries(
      [...pairs].map(([, key = "", value = ""]) => [unescapeXml(key), unescapeXml(value)]),
    ),
    workingDirectory: directory === undefined ? null : unescapeXml(directory),
    user: /<key>UserName<\/key>\s*<string>([^<]*)<\/string>/.exec(text)?.[1] ?? null,
    environmentFiles: [],
    passEnvironment: [],
  };
}

/** The assignments of the `[Service]` section, in order. Few expressions: the first use of one costs more than a whole unit. */
function serviceAssignments(text: string): readonly (readonly [string, string])[] {
  let section = "";
  const found: (readonly [string, string])[] = [];
  const joined = text.includes("\\") ? text.replace(/\\\r?\n/g, " ") : text;
  for (const line of joined.split("\n")) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#") || trimmed.startsWith(";")) continue;
    const isHeader = trimmed.length > 2 && trimmed.startsWith("[") && trimmed.endsWith("]");
    if (isHeader) section = trimmed.slice(1, -1);
    const split = trimmed.indexOf("=");
    if (section === "Service" && !isHeader && split > 0) {
      found.push([trimmed.slice(0, split).trim(), trimmed.slice(split + 1).trim()]);
    }
  }
  return found;
}

/** Source: systemd.service(5), "Special executable prefixes". */
function withoutPrefix(command: string): string {
  let at = 0;
  while (at < command.length && "-@:+!|".includes(command.charAt(at))) at += 1;
  return command.slice(at);
}

/**
 * Words as systemd splits them: quotes group, a backslash takes the next character literally, `%%` is a percent sign. A quote
 * without its end separates words. Without regular expressions, each of which would cost more than a whole unit.
 */
function splitWords(text: string): readonly string[] {
  const isPlain = !text.includes('"') && !text.includes("'") && !text.includes("\\");
  const words = isPlain ? wordsIn(text) : quotedWordsIn(text);
  return text.includes("%%") ? words.map((word) => word.replaceAll("%%", "%")) : words;
}

function wordsIn(text: string): readonly string[] {
  return text
    .replaceAll("\t", " ")
    .split(" ")
    .filter((word) => word !== "");
}

function quotedWordsIn(text: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  /** Where the present run of ordinary characters begins. */
  let plain = 0;
  for (let at = 0; at <= text.length; at += 1) {
    const character = text.charAt(at);
    const isQuote = character === '"' || character === "'";
    if (!isQuote && !" \t\\".includes(character)) continue;
    if (at > plain) word = (word ?? "") + text.slice(plain, at);
    const end = isQuote ? endOfQuoted(text, at) : -1;
    if (end > 0) {
      word = (word ?? "") + unescaped(text.slice(at + 1, end));
      at = end;
    } else if (character === "\\" && at + 1 < text.length) {
      at += 1;
      word = (word ?? "") + text.charAt(at);
    } else {
      if (word !== undefined) words.push(word);
      word = undefined;
    }
    plain = at + 1;
  }
  return words;
}

/** Returns the place of the quote that closes the one at `from`; -1 when none does. */
function endOfQuoted(text: string, from: number): number {
  const quote = text.charAt(from);
  for (let at = from + 1; at < text.length; at += 1) {
    if (text.charAt(at) === quote) return at;
    if (text.charAt(at) === "\\") at += 1;
  }
  return -1;
}

function unescaped(text: string): string {
  return text.includes("\\") ? text.replace(/\\(.)/g, "$1") : text;
}

function assignments(words: readonly string[]): Record<string, string> {
  const pairs = words.flatMap((word) => {
    const split = word.indexOf("=");
    return split > 0 ? [[word.slice(0, split), word.slice(split + 1)] as const] : [];
  });
  return Object.fromEntries(pairs);
}

function strings(text: string): readonly string[] {
  return [...text.matchAll(/<string>([^<]*)<\/string>/g)].map(([, value = ""]) => unescapeXml(value));
}

function unescapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (whole, name: string) => entities[name] ?? whole);
}
