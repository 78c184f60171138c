/**
 * The facade over one home. Each method loads only the room it needs when it is called, so that a command that lists
 * never pays for one that starts, and nothing heavy is imported by opening.
 */
import type { LockkeeperError } from "@lockkeeper/core";
import { doubtAbout, faultOf, isIntegerFrom, optionCheck, refuseUnknownOptions, warn } from "@lockkeeper/core/internal";
import { ownPrograms } from "./context.ts";
import type { Programs, ProfilesContext } from "./context.ts";
import { EVERYDAY_ARGUMENTS, everydayVerbs } from "./everyday-verbs.ts";
import { locateHome, requireSafeHome } from "./home.ts";
import { homePaths } from "./profile-paths.ts";
import { ACTING_VERBS, EVERYDAY_VERBS, LOOKING_VERBS } from "./verbs.ts";
import type { Argument, ArgumentsByVerb, OpenedHome, Profiles } from "./verbs.ts";

/** The home to open, and its environment. */
export interface OpenOptions {
  /** The one root of everything on disk. @default LOCKKEEPER_HOME of `env`, else `~/.lockkeeper` */
  readonly home?: string | undefined;
  /** The caller's environment. @default process.env */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Programs to start, for a bundle that inlines this package. @default this package's own */
  readonly programs?: Programs | undefined;
}

/**
 * Opens the profiles of one home. Reads and writes nothing in it yet.
 *
 * In a home that another user controls, verbs that act are refused with UNSAFE_PATH, and the others add a warning.
 *
 * @throws {LockkeeperError} OPTION_INVALID when the home is not absolute, the file system's root or the user's own home.
 */
export async function openProfiles(options: OpenOptions = {}): Promise<Profiles> {
  refuseWrongArguments("openProfiles", [options], EVERYDAY_ARGUMENTS);
  const env = options.env ?? process.env;
  const home = locateHome(env, options.home);
  const danger = faultOf(() => requireSafeHome(home));
  const owner = danger === undefined ? "own" : "any";
  const context: ProfilesContext = { home, env, programs: options.programs ?? ownPrograms(), owner };
  // A verb that acts does not trust a registry that others can write.
  const doubt = danger ?? doubtAbout(homePaths(home).registry);
  const look: ProfilesContext = doubt === undefined ? context : { ...context, owner: "any" };
  return facade({ context, look }, { danger, doubt });
}

/** Reasons against a home: `danger` refuses every verb that acts, `doubt` is shown as a warning. */
interface Doubts {
  readonly danger: LockkeeperError | undefined;
  readonly doubt: LockkeeperError | undefined;
}

/**
 * Returns the facade. Nothing is signalled, changed or handed out because of files that another user controls: verbs that
 * act refuse, and verbs that only read warn once.
 */
function facade(opened: OpenedHome, { danger, doubt }: Doubts): Profiles {
  const { home } = opened.context;
  let told = false;
  const beforeLook = (): void => {
    if (doubt?.code !== "UNSAFE_PATH" || told) return;
    told = true;
    warn(`${doubt.message}: what is in ${home} is only shown`, doubt.code);
  };
  const beforeAct = (subject: unknown): void => {
    if (danger !== undefined) throw danger;
    requireSafeHome(home, profileIn(subject));
  };
  const everyday: LoadVerbs = async () => ({ verbs: everydayVerbs(opened), table: EVERYDAY_ARGUMENTS });
  const looking: LoadVerbs = async () => {
    const [{ lookingVerbs }, { VERB_ARGUMENTS }] = await Promise.all([
      import("./looking-verbs.ts"),
      import("./verb-arguments.ts"),
    ]);
    return { verbs: lookingVerbs(opened), table: VERB_ARGUMENTS };
  };
  const acting: LoadVerbs = async () => {
    const [{ actingVerbs }, { VERB_ARGUMENTS }] = await Promise.all([
      import("./acting-verbs.ts"),
      import("./verb-arguments.ts"),
    ]);
    return { verbs: actingVerbs(opened), table: VERB_ARGUMENTS };
  };
  const methods: Record<string, unknown> = { home };
  for (const verb of EVERYDAY_VERBS) methods[verb] = method(verb, beforeLook, everyday);
  for (const verb of LOOKING_VERBS) methods[verb] = method(verb, beforeLook, looking);
  for (const verb of ACTING_VERBS) methods[verb] = method(verb, beforeAct, acting);
  return methods as unknown as Profiles;
}

type Method = (...given: readonly unknown[]) => unknown;

/** Verbs that give one thing after the other. */
const STREAMS: ReadonlySet<string> = new Set<keyof Profiles>(["followLog", "watch"]);

/** Loads a verb among others, and the arguments of these. */
type LoadVerbs = () => Promise<{ readonly verbs: object; readonly table: ArgumentsByVerb }>;

/** Returns the method of the facade for `verb`, which `load` returns among others. */
function method(verb: string, before: (subject: unknown) => void, load: LoadVerbs): Method {
  const run = async (given: readonly unknown[]): Promise<unknown> => {
    before(given[0]);
    const { verbs, table } = await load();
    refuseWrongArguments(verb, given, table);
    return Reflect.apply(Reflect.get(verbs, verb) as Method, undefined, given);
  };
  if (!STREAMS.has(verb)) return (...given) => run(given);
  return async function* (...given) {
    yield* (await run(given)) as AsyncIterable<unknown>;
  };
}

/** The profile of a verb: its first argument, or a name in it. */
function profileIn(subject: unknown): string | undefined {
  if (typeof subject === "string") return subject;
  const named = typeof subject === "object" && subject !== null && "profile" in subject ? subject.profile : undefined;
  return typeof named === "string" ? named : undefined;
}

/**
 * Returns when the arguments are right. A caller without a compiler could misspell an option, which would silently have its default,
 * or leave out an argument: `emptyTrash` without names would empty the whole trash.
 *
 * @throws {TypeError} naming the first wrong argument, or the first unknown key of the verb's options and the nearest known one.
 */
function refuseWrongArguments(verb: string, given: readonly unknown[], table: ArgumentsByVerb): void {
  const [before, known, need] = table[verb] ?? [[]];
  const expect = optionCheck(verb);
  for (const [place, argument] of before.entries()) {
    const [what, isRight] = RULES[argument] ?? TEXT;
    expect(argument, given[place], what, isRight);
  }
  const options = given[before.length];
  if (known !== undefined && (options !== undefined || need === "needed")) refuseUnknownOptions(verb, options, known());
}

type Rule = readonly [what: string, isRight: (value: unknown) => boolean];

const TEXT: Rule = ["a text", isText];
const TEXTS: Rule = ["an array of texts", (value) => Array.isArray(value) && value.every(isText)];

/** Any other argument is a text. */
const RULES: Readonly<Partial<Record<Argument, Rule>>> = {
  names: TEXTS,
  words: TEXTS,
  lines: TEXTS,
  argv: TEXTS,
  findings: ["an array of findings", (value) => Array.isArray(value)],
  verb: ['"start", "restart" or "stop"', (value) => value === "start" || value === "restart" || value === "stop"],
  port: ["a port", (value) => isIntegerFrom(1, value, 65_535)],
};

function isText(value: unknown): boolean {
  return typeof value === "string";
}
