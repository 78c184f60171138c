/**
 * The one file that knows yargs. It builds a parser from the same descriptions that the cheap reader uses and reads every
 * call: correct ones, unusual ones, and mistakes, with a guess at the intention. It is loaded only when the cheap reader gives
 * up, because loading yargs costs more than a whole `list`.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { nearestNames, shellCommand } from "@lockkeeper/core/internal";
import makeYargs from "yargs";
import type { Argv, Options } from "yargs";
import type { CommandSpec } from "./command.ts";
import { findCommand } from "./find-command.ts";
import { usageLine } from "./help-text.ts";
import { GLOBAL_OPTIONS, flagName, optionSpec } from "./options.ts";
import type { OptionName } from "./options.ts";
import type { Reading, Request } from "./reading.ts";
import { commandFirst, profileAsArgument } from "./word-order.ts";

type Commands = Readonly<Record<string, CommandSpec>>;

/**
 * Returns the request of the command line.
 *
 * @throws {LockkeeperError} USAGE when the request makes no sense: message and hint name the probable intention.
 */
export function readWithYargs(commands: Commands, argv: readonly string[]): Request {
  if (argv.length === 0) return { kind: "help", command: undefined };
  // Words after "--" belong to another program: `create api -- server --help` asks that server, not us.
  const end = argv.indexOf("--");
  const own = commandFirst(end === -1 ? argv : argv.slice(0, end));
  const rest = end === -1 ? undefined : argv.slice(end + 1);
  const [first = "", second] = own;
  const word = first === "help" ? second : first.startsWith("-") ? undefined : first;
  const command = word === undefined ? undefined : findCommand(commands, word);
  if (word !== undefined && command === undefined) {
    throw unknownCommand(commands, first === "help" ? own.slice(1) : own);
  }
  if (first === "help" || own.includes("--help") || own.includes("-h")) return { kind: "help", command };
  if (command === undefined && isVersion(own)) return { kind: "version" };
  if (command === undefined) throw noCommand(first);
  const spec = commands[command];
  if (spec === undefined) throw new TypeError(`no description of ${command}`);
  return parse(command, spec, profileAsArgument(spec, own), rest);
}

/** An interactive zsh passes on the comment of a pasted command line. The usual hint would repeat the words of the comment. */
function commentPassedOn(): LockkeeperError {
  return new LockkeeperError("USAGE", "your shell has passed a comment on: # and the words behind it", {
    hint: "Leave it out, or let zsh know comments: setopt interactive_comments",
  });
}

function isVersion(own: readonly string[]): boolean {
  return own.includes("--version") || (own.length === 1 && /^-[vV]$/.test(own[0] ?? ""));
}

function noCommand(first: string): LockkeeperError {
  if (first === "") return usage("no command was given", undefined);
  return usage(`no command was given, and ${first} is no option that goes without one`, undefined);
}

function parse(
  command: string,
  spec: CommandSpec,
  argv: readonly string[],
  rest: readonly string[] | undefined,
): Reading {
  refuseInherited(command, spec, argv);
  let parsed: Readonly<Record<string, unknown>> | undefined;
  const parser = build(command, spec, (given) => {
    parsed = given;
  });
  parser.parse(argv.map(hideDash), {}, (error) => {
    if (error) throw usage(error.message.replaceAll(/\s*\n\s*/g, "; "), command);
  });
  if (parsed === undefined) throw usage(`${command} was not understood`, command);
  return toReading(command, spec, parsed, { argv, rest });
}

/** yargs looks options up in plain objects, which have `constructor` and its like without anybody's doing, and fails. */
function refuseInherited(command: string, spec: CommandSpec, argv: readonly string[]): void {
  for (const token of argv) {
    const name = /^--([^=]+)/.exec(token)?.[1];
    if (name === undefined || !(name in Object.prototype)) continue;
    throw unknownOption(command, name, [...spec.options, ...GLOBAL_OPTIONS].map(flagName));
  }
}

/** Missing words, extra words and wrong choices are checked here, not by yargs, for the sake of our own messages. */
function build(command: string, spec: CommandSpec, onCall: (given: Readonly<Record<string, unknown>>) => void): Argv {
  return makeYargs([])
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
    .exitProcess(false)
    .showHelpOnFail(false)
    .help(false)
    .version(false)
    .command({
      command: [command, ...spec.positionals.map(({ name, arity }) => `[${name}${arity === "many" ? ".." : ""}]`)].join(
        " ",
      ),
      aliases: [...(spec.aliases ?? [])],
      builder: (parser: Argv) => {
        for (const { name } of spec.positionals) parser.positional(name, { type: "string" });
        for (const option of [...spec.options, ...GLOBAL_OPTIONS]) parser.option(flagName(option), yargsOption(option));
        return parser;
      },
      handler: onCall,
    });
}

function yargsOption(option: OptionName): Options {
  const { type, alias } = optionSpec(option);
  return { ...(alias !== undefined && { alias }), type: type === "flag" ? "boolean" : "string" };
}

interface Tokens {
  readonly argv: readonly string[];
  readonly rest: readonly string[] | undefined;
}

function toReading(
  command: string,
  spec: CommandSpec,
  parsed: Readonly<Record<string, unknown>>,
  { argv, rest }: Tokens,
): Reading {
  const extra = texts(parsed["_"]).slice(1);
  const words = spec.positionals.flatMap(({ name }) => texts(parsed[name]));
  if ([...words, ...extra].includes("#")) throw commentPassedOn();
  if (extra.length > 0) throw tooMuch(command, spec, argv, extra);
  const known = new Map<string, OptionName>(
    [...spec.options, ...GLOBAL_OPTIONS].map((option) => [flagName(option), option]),
  );
  const positionals = new Set<string>(spec.positionals.map(({ name }) => name));
  const options: Partial<Record<OptionName, true | readonly string[]>> = {};
  for (const [key, value] of Object.entries(parsed)) {
    if (key === "_" || key === "$0" || positionals.has(key) || value === undefined) continue;
    const option = known.get(key);
    if (option === undefined) throw unknownOption(command, key, [...known.keys()]);
    if (optionSpec(option).type !== "flag") options[option] = valuesOf(command, option, value);
    else if (value === true) options[option] = true;
    else throw usage(`--${key} takes no value and is given once`, command);
  }
  if (rest !== undefined && spec.rest === undefined) throw usage(`${command} takes nothing after --`, command);
  for (const { name, arity, choices, summary } of spec.positionals) {
    const given = texts(parsed[name]);
    if (given.length === 0 && arity === "required") throw missing(command, spec, name, summary);
    const wrong = choices === undefined ? undefined : given.find((word) => !choices.includes(word));
    if (choices !== undefined && wrong !== undefined) throw notAmong(command, name, wrong, choices);
  }
  return { kind: "call", command, positionals: words, options, rest };
}

function usage(message: string, command: string | undefined): LockkeeperError {
  return new LockkeeperError("USAGE", message, {
    hint: `Run: lockkeeper ${command === undefined ? "" : `${command} `}--help`,
  });
}

/** Guesses in the order of their certainty: two words in the wrong order, another tool's word, a typing mistake. */
function unknownCommand(commands: Commands, words: readonly string[]): LockkeeperError {
  const [word = "", next, ...others] = words;
  const message = `no such command: ${word === "" ? '""' : word}`;
  const known = Object.entries(commands);
  const meant = next === undefined ? undefined : findCommand(commands, next);
  if (meant !== undefined) {
    const hint = `The command comes first: ${shellCommand("lockkeeper", meant, word, ...others)}`;
    return new LockkeeperError("USAGE", message, { hint });
  }
  const synonym = known.find(([, { synonyms = [] }]) => synonyms.includes(word));
  if (synonym !== undefined) {
    const hint = `The command is: ${shellCommand("lockkeeper", synonym[0], ...words.slice(1))}`;
    return new LockkeeperError("USAGE", message, { hint });
  }
  const near = nearestNames(
    word,
    known.flatMap(([name, { aliases = [] }]) => [name, ...aliases]),
  );
  if (near.length === 0) return usage(message, undefined);
  return new LockkeeperError("USAGE", message, { hint: `Did you mean ${near.join(" or ")}?` });
}

function missing(command: string, spec: CommandSpec, name: string, summary: string): LockkeeperError {
  const example = spec.examples[0]?.[0] ?? command;
  return new LockkeeperError(
    "USAGE",
    `${command}: <${name}> is missing (${summary}). Usage: ${usageLine(command, spec)}`,
    {
      hint: `For example: lockkeeper ${example}`,
    },
  );
}

function notAmong(command: string, name: string, word: string, choices: readonly string[]): LockkeeperError {
  const message = `${command}: <${name}> is one of ${choices.join(", ")}, not ${JSON.stringify(word)}`;
  const [near] = nearestNames(word, choices);
  const hint = near === undefined ? `Run: lockkeeper ${command} --help` : `Did you mean ${near}?`;
  return new LockkeeperError("USAGE", message, { hint });
}

/** Extra words are most often a command line without the `--` before it. */
function tooMuch(
  command: string,
  spec: CommandSpec,
  argv: readonly string[],
  extra: readonly string[],
): LockkeeperError {
  const message = `${command} takes no further argument: ${extra.join(" ")}`;
  const at = argv.indexOf(extra[0] ?? "");
  if (spec.rest === undefined || at === -1) return usage(message, command);
  const program = argv.slice(at);
  const [line = ""] = program;
  // One word with blanks was meant as several.
  const isLine = program.length === 1 && /^[\w./{}:=+,@ -]*$/.test(line);
  const tail = isLine ? line : shellCommand(...program);
  return new LockkeeperError("USAGE", message, {
    hint: `Put -- in front of the program: ${shellCommand("lockkeeper", ...argv.slice(0, at))} -- ${tail}`,
  });
}

function valuesOf(command: string, option: OptionName, value: unknown): readonly string[] {
  const values = texts(value);
  if (values.length > 0 && !values.includes("")) return values;
  const flag = `--${flagName(option)}`;
  throw usage(`${flag} needs a value: ${flag} <${optionSpec(option).value ?? "value"}>`, command);
}

function unknownOption(command: string, key: string, known: readonly string[]): LockkeeperError {
  const message = `${command} has no option ${key.length === 1 ? "-" : "--"}${key}`;
  const near = nearestNames(key, known).map((name) => `--${name}`);
  if (near.length === 0) return usage(message, command);
  return new LockkeeperError("USAGE", message, { hint: `Did you mean ${near.join(" or ")}?` });
}

/** yargs reads a positional twice and loses a lone "-": it is replaced meanwhile by a word that nobody can type. */
const HIDDEN_DASH = "\u0000-";

function hideDash(token: string): string {
  return token === "-" ? HIDDEN_DASH : token;
}

function texts(value: unknown): readonly string[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map((one) => (one === HIDDEN_DASH ? "-" : String(one)));
}
