/**
 * Reads the common, correct call without yargs, which costs more to load than everything else together. It answers only when
 * it is certain; for an unusual or wrong call it returns undefined and leaves it to yargs. Invariant, held by a property test:
 * where it answers, yargs answers the same.
 */
import type { CommandSpec } from "./command.ts";
import { findCommand } from "./find-command.ts";
import { GLOBAL_OPTIONS, flagName, optionSpec } from "./options.ts";
import type { OptionName } from "./options.ts";
import type { Request } from "./reading.ts";

const VERSION_OPTIONS: readonly string[] = ["--version", "-v", "-V"];

/** Returns the request of the command line, or undefined when yargs must decide. Pure. */
export function readCheaply(
  commands: Readonly<Record<string, CommandSpec>>,
  argv: readonly string[],
): Request | undefined {
  const [first, second] = argv;
  if (first === undefined) return { kind: "help", command: undefined };
  if (argv.length === 1 && VERSION_OPTIONS.includes(first)) return { kind: "version" };
  if (argv.length === 1 && (first === "--help" || first === "-h")) return { kind: "help", command: undefined };
  const command = findCommand(commands, first);
  if (command === undefined) return undefined;
  if (argv.length === 2 && (second === "--help" || second === "-h")) return { kind: "help", command };
  const spec = commands[command];
  return spec === undefined ? undefined : readCall(command, spec, argv);
}

function readCall(command: string, spec: CommandSpec, argv: readonly string[]): Request | undefined {
  const positionals: string[] = [];
  const options: Partial<Record<OptionName, true | string[]>> = {};
  let rest: readonly string[] | undefined;

  for (let index = 1; index < argv.length; index += 1) {
    const token = argv[index] ?? "";
    if (token === "--") {
      if (spec.rest === undefined) return undefined;
      rest = argv.slice(index + 1);
      break;
    }
    // An interactive zsh passes on a comment that was pasted with the command.
    if (token === "#") return undefined;
    if (token === "-" || !token.startsWith("-")) {
      positionals.push(token);
      continue;
    }
    const equals = token.indexOf("=");
    const option = findOption(spec, equals === -1 ? token : token.slice(0, equals));
    if (option === undefined) return undefined;
    const { type } = optionSpec(option);
    const before = options[option];
    if (before !== undefined && type !== "list") return undefined;
    if (type === "flag") {
      // yargs reads a "true" or "false" after a flag as its value.
      if (equals !== -1 || /^(true|false)$/.test(argv[index + 1] ?? "")) return undefined;
      options[option] = true;
      continue;
    }
    if (equals === -1) index += 1;
    const value = equals === -1 ? argv[index] : token.slice(equals + 1);
    if (value === undefined || value === "" || value.startsWith("-") || /^["']/.test(value)) return undefined;
    options[option] = [...(before === undefined || before === true ? [] : before), value];
  }

  return fits(spec, positionals) ? { kind: "call", command, positionals, options, rest } : undefined;
}

function findOption(spec: CommandSpec, token: string): OptionName | undefined {
  const named = (option: OptionName): boolean =>
    token === `--${flagName(option)}` || token === `-${optionSpec(option).alias ?? "-"}`;
  // `-f=x` and the like mean something to yargs: only the long form may carry its value after "=".
  return spec.options.find(named) ?? GLOBAL_OPTIONS.find(named);
}

function fits(spec: CommandSpec, positionals: readonly string[]): boolean {
  const needed = spec.positionals.filter(({ arity }) => arity === "required").length;
  const most = spec.positionals.some(({ arity }) => arity === "many") ? Infinity : spec.positionals.length;
  if (positionals.length < needed || positionals.length > most) return false;
  return spec.positionals.every(({ choices }, index) => {
    const value = positionals[index];
    return choices === undefined || value === undefined || choices.includes(value);
  });
}
