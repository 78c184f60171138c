/** The help of the program and of each command, from the same descriptions that the readers use. Pure. */
import type { CommandSpec, PositionalSpec } from "./command.ts";
import { GROUPS } from "./commands.ts";
import { GLOBAL_OPTIONS, flagName, optionSpec } from "./options.ts";
import type { OptionName } from "./options.ts";

type Commands = Readonly<Record<string, CommandSpec>>;

/** Always for this many columns, so that it can be made once, at build time. */
const COLUMNS = 80;

/** A term that is too long for its column gets a line of its own. */
const WIDEST_TERM = 34;

const INDENT = "  ";
/** At the end of a line that continues on the next one. */
const CONTINUED = " \\";
const GAP = "  ";

/** The first commands of a new user. A test runs them. */
const FIRST_STEPS: readonly (readonly [line: string, meaning: string])[] = [
  ["up dev prod", "two gateways, ready"],
  ["create api -- node server.js --port {port}", "any program, from here"],
  ["start api", "start it and wait"],
  ["list", "what runs, and where"],
  ["why api", "what happened to it"],
];

const PURPOSE = `Run many gateways on one host without them stepping on each other.

A gateway is any server program. A profile is one gateway with a folder, ports,
environment and logs of its own. Its keeper is the process that watches it.`;

const EPILOGUE = `Which profile: the argument or --profile, else LOCKKEEPER_PROFILE, else the
default set by \`use\`. @name is a group, 'dev-*' a pattern. Every command takes
--json. Data is in LOCKKEEPER_HOME (default ~/.lockkeeper).
Help on one command: lockkeeper help <command>`;

/** Returns the help of the program: one screen. */
export function programHelp(commands: Commands): string {
  const entries = Object.entries(commands);
  const chapters = Object.entries(GROUPS).map(([group, title]) => {
    const members = entries.filter(([, spec]) => spec.group === group);
    const body =
      group === "everyday"
        ? table(members.map(([name, { summary }]) => [name, summary]))
        : wrap(members.map(([name]) => name).join("  "), COLUMNS - INDENT.length, /\s{2}/).map((line) => INDENT + line);
    return [`${title}:`, ...body].join("\n");
  });
  const examples = [
    "Examples:",
    ...table(
      FIRST_STEPS.map(([line, meaning]) => [`lockkeeper ${line}`, meaning]),
      54,
    ),
  ];
  return `${[PURPOSE, "Usage: lockkeeper <command> [options]", chapters.join("\n"), examples.join("\n"), EPILOGUE].join("\n\n")}\n`;
}

/** Returns the help of one command. */
export function commandHelp(name: string, spec: CommandSpec): string {
  const parts = [spec.summary.charAt(0).toUpperCase() + spec.summary.slice(1), `Usage: ${usageLine(name, spec)}`];
  if (spec.positionals.length > 0) {
    parts.push(
      section(
        "Arguments",
        spec.positionals.map((each) => [each.name, withChoices(each)]),
      ),
    );
  }
  const options = [...spec.options, ...GLOBAL_OPTIONS].map(
    (option) => [optionTerm(option), spec.summaries?.[option] ?? optionSpec(option).summary] as const,
  );
  parts.push(section("Options", options));
  parts.push(
    [
      "Examples:",
      ...spec.examples.flatMap(([line, meaning]) => [
        ...wrap(`lockkeeper ${line}`, COLUMNS - INDENT.length - CONTINUED.length).map(
          (text, index, all) => (index === 0 ? INDENT : "    ") + text + (index < all.length - 1 ? CONTINUED : ""),
        ),
        ...wrap(meaning, 72).map((text) => `      ${text}`),
      ]),
    ].join("\n"),
  );
  return `${parts.join("\n\n")}\n`;
}

/** Returns `lockkeeper stop [names..] [options]`. */
export function usageLine(name: string, spec: CommandSpec): string {
  const words = ["lockkeeper", name, ...spec.positionals.map(positionalUsage), "[options]"];
  if (spec.rest !== undefined) words.push(`[-- ${spec.rest}]`);
  return words.join(" ");
}

/** Returns `--port <port>`, with its letter in front where it has one. */
function optionTerm(option: OptionName): string {
  const { alias, value } = optionSpec(option);
  const letter = alias === undefined ? "    " : `-${alias}, `;
  return `${letter}--${flagName(option)}${value === undefined ? "" : ` <${value}>`}`;
}

function positionalUsage({ name, arity }: PositionalSpec): string {
  if (arity === "required") return `<${name}>`;
  return arity === "many" ? `[${name}..]` : `[${name}]`;
}

function withChoices({ summary, choices }: PositionalSpec): string {
  return choices === undefined ? summary : `${summary}: ${choices.join(", ")}`;
}

function section(title: string, rows: readonly (readonly [term: string, text: string])[]): string {
  return [`${title}:`, ...table(rows)].join("\n");
}

function table(rows: readonly (readonly [term: string, text: string])[], widest = WIDEST_TERM): readonly string[] {
  const width = Math.max(...rows.map(([term]) => term.length).filter((length) => length <= widest), 0);
  const margin = " ".repeat(INDENT.length + width + GAP.length);
  return rows.flatMap(([term, text]) => {
    const lines = wrap(text, COLUMNS - margin.length);
    if (term.length > width) return [INDENT + term, ...lines.map((line) => margin + line)];
    return lines.map((line, index) => (index === 0 ? INDENT + term.padEnd(width) + GAP : margin) + line);
  });
}

function wrap(text: string, columns: number, blank: RegExp = /\s/): readonly string[] {
  const lines: string[] = [];
  const glue = blank.source === "\\s" ? " " : GAP;
  for (const word of text.split(blank)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + glue.length + word.length <= columns)
      lines[lines.length - 1] = last + glue + word;
    else lines.push(word);
  }
  return lines;
}
