/**
 * The one file that knows yargs. It builds a parser from the same descriptions that the cheap reader uses and answers
 * everything: correct calls, mistakes (with the nearest names), help texts and completions. It is loaded only when
 * the cheap reader passes, because loading yargs costs more than a whole `list`.
 */
import { LockkeeperError, nearestNames } from "@lockkeeper/core";
import makeYargs from "yargs";
import type { Argv, Options } from "yargs";
import type { CommandSpec, PositionalSpec } from "./command.ts";
import { findCommand } from "./find-command.ts";
import { GLOBAL_OPTIONS, flagName, optionSpec } from "./options.ts";
import type { OptionName } from "./options.ts";
import type { Reading, Request } from "./reading.ts";

type Commands = Readonly<Record<string, CommandSpec>>;

/** Help is laid out for this many columns whatever the terminal, so that it can be made once, at build time. */
const HELP_COLUMNS = 80;

const TOO_FEW = "Not enough non-option arguments: got %s, need at least %s";
const MISSING = "an argument is missing (%s given, %s needed)";

const EPILOGUE = [
  "Which profile: the argument or --profile, else LOCKKEEPER_PROFILE, else the default set by `use`.",
  "Everything lives under LOCKKEEPER_HOME (default ~/.lockkeeper). Every command takes --json.",
  "lockkeeper <command> --help explains one command.",
].join("\n");

/**
 * Returns what the command line asks for.
 *
 * @throws {LockkeeperError} USAGE when it asks for nothing that exists: message and hint name what was meant.
 */
export function readWithYargs(commands: Commands, argv: readonly string[]): Request {
  if (argv.length === 0) return { kind: "help", command: undefined };
  // Words after "--" belong to somebody else's program: `create api -- server --help` asks that server, not us.
  const end = argv.indexOf("--");
  const own = end === -1 ? argv : argv.slice(0, end);
  const rest = end === -1 ? undefined : argv.slice(end + 1);
  const words = own.filter((token) => !token.startsWith("-"));
  const word = words[0] === "help" ? words[1] : words[0];
  const command = word === undefined ? undefined : findCommand(commands, word);
  if (word !== undefined && command === undefined) throw unknownCommand(commands, word);
  if (words[0] === "help" || own.includes("--help") || own.includes("-h")) return { kind: "help", command };
  if (command === undefined && own.includes("--version")) return { kind: "version" };
  if (command === undefined) throw usage("no command was given", undefined);
  return parse(commands, own, command, rest);
}

/** Returns the help of a command, or of the program. */
export async function helpText(commands: Commands, command: string | undefined): Promise<string> {
  const parser = build(commands, () => undefined).help();
  if (command === undefined) parser.version("");
  let text = "";
  await parser.parse(command === undefined ? ["--help"] : [command, "--help"], {}, (_error, _argv, output) => {
    text = output;
  });
  // What type a value has is said by its placeholder.
  return `${text.replaceAll(/\s*\[(string|boolean|array|required|default: \[\])\]/g, "")}\n`;
}

function parse(
  commands: Commands,
  argv: readonly string[],
  command: string,
  rest: readonly string[] | undefined,
): Reading {
  let reading: Reading | undefined;
  const parser = build(commands, (name, spec, parsed) => {
    reading = toReading(name, spec, parsed, rest);
  });
  parser.parse(argv.map(hideDash), {}, (error) => {
    if (error instanceof LockkeeperError) throw error;
    if (error) throw usage(error.message.replaceAll(/\s*\n\s*/g, "; "), command);
  });
  if (reading === undefined) throw usage(`${command} was not understood`, command);
  return reading;
}

type OnCall = (name: string, spec: CommandSpec, parsed: Readonly<Record<string, unknown>>) => void;

function build(commands: Commands, onCall: OnCall): Argv {
  const parser = makeYargs([])
    .scriptName("lockkeeper")
    .locale("en")
    .parserConfiguration({
      "boolean-negation": false,
      "camel-case-expansion": false,
      "dot-notation": false,
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "strip-aliased": true,
    })
    // yargs counts plural forms here, which its types do not know.
    .updateStrings({ [TOO_FEW]: { one: MISSING, other: MISSING } as unknown as string })
    .exitProcess(false)
    .showHelpOnFail(false)
    .help(false)
    .version(false)
    .wrap(HELP_COLUMNS)
    .usage("Run many gateways on one host without them stepping on each other.\n\nUsage: $0 <command> [options]")
    .example("$0 up dev prod", "two isolated gateways, running and healthy")
    .example("$0 create api -- node server.js --port {port}", "any program as a gateway")
    .example("$0 list", "what runs, where, how well")
    .epilogue(EPILOGUE);
  for (const option of GLOBAL_OPTIONS)
    parser.option(flagName(option), { ...yargsOption(option, undefined), global: true });
  for (const [name, spec] of Object.entries(commands)) addCommand(parser, name, spec, onCall);
  return parser;
}

function addCommand(parser: Argv, name: string, spec: CommandSpec, onCall: OnCall): void {
  parser.command({
    command: [name, ...spec.positionals.map(positionalUsage)].join(" "),
    aliases: [...(spec.aliases ?? [])],
    describe: spec.summary,
    builder: (command: Argv) => describeCommand(command, name, spec),
    handler: (parsed) => onCall(name, spec, parsed),
  });
}

function positionalUsage({ name, arity }: PositionalSpec): string {
  if (arity === "required") return `<${name}>`;
  return arity === "many" ? `[${name}..]` : `[${name}]`;
}

function describeCommand(command: Argv, name: string, spec: CommandSpec): Argv {
  const words = [name, ...spec.positionals.map(positionalUsage), "[options]"];
  if (spec.rest !== undefined) words.push(`[-- ${spec.rest}]`);
  command.usage(`${spec.summary}\n\nUsage: $0 ${words.join(" ")}`).epilogue("");
  for (const { name: positional, summary, choices } of spec.positionals) {
    command.positional(positional, { type: "string", describe: summary, ...(choices && { choices }) });
  }
  for (const option of spec.options) command.option(flagName(option), yargsOption(option, spec.summaries?.[option]));
  for (const [line, meaning] of spec.examples) command.example(`$0 ${line}`, meaning);
  return command;
}

function yargsOption(option: OptionName, summary: string | undefined): Options {
  const spec = optionSpec(option);
  const words = [...(spec.value === undefined ? [] : [`<${spec.value}>`]), summary ?? spec.summary];
  const common: Options = { describe: words.join(" "), ...(spec.alias && { alias: spec.alias }) };
  if (spec.type === "flag") return { ...common, type: "boolean" };
  return { ...common, type: "string", requiresArg: true };
}

function toReading(
  command: string,
  spec: CommandSpec,
  parsed: Readonly<Record<string, unknown>>,
  rest: readonly string[] | undefined,
): Reading {
  const known = new Map<string, OptionName>(
    [...spec.options, ...GLOBAL_OPTIONS].map((option) => [flagName(option), option]),
  );
  const positionals = new Set<string>(spec.positionals.map(({ name }) => name));
  const options: Partial<Record<OptionName, true | readonly string[]>> = {};
  for (const [key, value] of Object.entries(parsed)) {
    if (key === "_" || key === "$0" || positionals.has(key) || value === undefined) continue;
    const option = known.get(key);
    if (option === undefined) throw unknownOption(command, key, [...known.keys()]);
    if (optionSpec(option).type !== "flag") options[option] = texts(value);
    else if (value === true) options[option] = true;
    else throw usage(`--${key} takes no value and is given once`, command);
  }
  const extra = texts(parsed["_"]).slice(1);
  if (extra.length > 0) throw usage(`${command} takes no further argument: ${extra.join(" ")}`, command);
  if (rest !== undefined && spec.rest === undefined) throw usage(`${command} takes nothing after --`, command);
  const words = spec.positionals.flatMap(({ name }) => texts(parsed[name]));
  return { kind: "call", command, positionals: words, options, rest };
}

function usage(message: string, command: string | undefined): LockkeeperError {
  return new LockkeeperError("USAGE", message, {
    hint: `Run: lockkeeper ${command === undefined ? "" : `${command} `}--help`,
  });
}

function unknownCommand(commands: Commands, word: string): LockkeeperError {
  const known = Object.entries(commands).flatMap(([name, { aliases = [] }]) => [name, ...aliases]);
  const near = nearestNames(word, known);
  if (near.length === 0) return usage(`no such command: ${word}`, undefined);
  return new LockkeeperError("USAGE", `no such command: ${word}`, { hint: `Did you mean ${near.join(" or ")}?` });
}

function unknownOption(command: string, key: string, known: readonly string[]): LockkeeperError {
  const message = `${command} has no option ${key.length === 1 ? "-" : "--"}${key}`;
  const near = nearestNames(key, known).map((name) => `--${name}`);
  if (near.length === 0) return usage(message, command);
  return new LockkeeperError("USAGE", message, { hint: `Did you mean ${near.join(" or ")}?` });
}

/** yargs reads a positional twice and loses a lone "-" on the way: it travels as a word that nobody can type. */
const HIDDEN_DASH = "\u0000-";

function hideDash(token: string): string {
  return token === "-" ? HIDDEN_DASH : token;
}

function texts(value: unknown): readonly string[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map((one) => (one === HIDDEN_DASH ? "-" : String(one)));
}
