import { LockkeeperError } from "@lockkeeper/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCheaply } from "../../src/command-line/cheap-reader.ts";
import type { CommandSpec } from "../../src/command-line/command.ts";
import { COMMANDS } from "../../src/command-line/commands.ts";
import { GLOBAL_OPTIONS, flagName, optionSpec } from "../../src/command-line/options.ts";
import type { OptionName } from "../../src/command-line/options.ts";
import { readWithYargs } from "../../src/command-line/yargs-reader.ts";

/** Returns what yargs reads: the request, or the code of the refusal. */
function byYargs(argv: readonly string[]): unknown {
  try {
    return readWithYargs(COMMANDS, argv);
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    return error.code;
  }
}

/** Words of every shape that a command line may hold, valid and invalid. */
const word = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom("dev", "prod", "api-2", "bash", "a_ö", "CON", "..", "a/b", "a b", "1", "007"),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom("", "-", "#", "true", "false", "1e3", "0x10", "1.5", "'q'", '"q"', "a=b", "=", "{port}"),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
);

function option(names: readonly OptionName[]): fc.Arbitrary<readonly string[]> {
  return fc.tuple(fc.constantFrom(...names), word, fc.integer({ min: 0, max: 3 })).map(([name, value, shape]) => {
    const { type, alias } = optionSpec(name);
    const flag = shape === 3 && alias !== undefined ? `-${alias}` : `--${flagName(name)}`;
    if (type === "flag") return shape === 2 ? [`${flag}=${value}`] : [flag];
    return shape === 1 ? [`${flag}=${value}`] : [flag, value];
  });
}

const strange = fc.constantFrom("--", "--nope", "-x", "--no-json", "--json=false", "-fq", "---", "--=", "-1", "--help");

const call = fc.constantFrom(...Object.entries<CommandSpec>(COMMANDS)).chain(([name, spec]) => {
  const own = option([...spec.options, ...GLOBAL_OPTIONS]);
  const any = option(["port", "kind", "json", "all", "env"]);
  const piece = fc.oneof(
    { weight: 6, arbitrary: own },
    { weight: 6, arbitrary: word.map((one) => [one]) },
    { weight: 1, arbitrary: any },
    { weight: 1, arbitrary: strange.map((one) => [one]) },
  );
  const rest = fc.oneof(
    fc.constant([]),
    fc.array(fc.oneof(word, strange), { maxLength: 3 }).map((more) => ["--", ...more]),
  );
  const pieces = fc.array(piece, { maxLength: 4 });
  return fc
    .tuple(fc.constantFrom(name, ...(spec.aliases ?? [])), pieces, rest)
    .map(([first, middle, last]) => [first, ...middle.flat(), ...last]);
});

describe("the two readers of the command line", () => {
  test("where the fast reader answers, yargs gives the same answer", () => {
    let answered = 0;
    fc.assert(
      fc.property(call, (argv) => {
        const cheap = readCheaply(COMMANDS, argv);
        if (cheap === undefined) return;
        answered += 1;
        expect(byYargs(argv)).toEqual(cheap);
      }),
      { numRuns: 2_000 },
    );
    // A fast reader that never answers would pass the property above.
    expect(answered).toBeGreaterThan(300);
  });

  test.each<readonly string[]>([
    [],
    ["--version"],
    ["--help"],
    ["-h"],
    ["list", "--help"],
    ["ls"],
    ["ls", "--json"],
    ["list", "-q", "--no-probe"],
    ["up", "dev", "prod"],
    ["create", ""],
    ["create", "api", "--cwd", "./api", "--", "node", "server.js", "--port", "{port}", "--help", "-x", "--", "--json"],
    ["create", "api", "--"],
    ["create", "api", "--env", "A=1", "--env=B=2", "--env", "C"],
    ["start", "dev", "prod", "--timeout", "30s", "--port=20000"],
    ["stop", "--all", "--confirm", "a", "--confirm", "b"],
    ["use", "-"],
    ["logs", "dev", "-f", "-n", "5"],
    ["exec", "dev", "--", "npm", "test", "--", "-x"],
    ["completion", "bash", "--", "start", ""],
    ["remove", "dev", "-y"],
  ])("the fast reader answers common calls: %j", (...argv) => {
    const cheap = readCheaply(COMMANDS, argv);
    expect(cheap).toBeDefined();
    expect(byYargs(argv)).toEqual(cheap);
  });
});

test.each<[readonly string[], readonly string[]]>([
  [
    ["--profile", "dev", "status"],
    ["status", "--profile", "dev"],
  ],
  [
    ["--profile=dev", "--json", "status"],
    ["status", "--profile=dev", "--json"],
  ],
  [
    ["--profile", "dev", "stop"],
    ["stop", "dev"],
  ],
  [
    ["restart", "--profile", "dev"],
    ["restart", "dev"],
  ],
  [
    ["exec", "--profile=dev", "--", "env"],
    ["exec", "dev", "--", "env"],
  ],
  [
    ["--profile", "dev", "use"],
    ["use", "dev"],
  ],
  [
    ["service", "status", "--profile", "dev"],
    ["service", "status", "dev"],
  ],
  [
    ["--port", "20500", "start", "dev"],
    ["start", "dev", "--port", "20500"],
  ],
  [
    ["-n", "5", "logs", "dev"],
    ["logs", "dev", "-n", "5"],
  ],
])("%j means %j", (argv, plain) => {
  expect(readCheaply(COMMANDS, argv)).toBeUndefined();
  expect(byYargs(argv)).toEqual(byYargs(plain));
  expect(byYargs(argv)).toMatchObject({ kind: "call" });
});

test.each(["-v", "-V", "--version"])("%s asks for the version", (argument) => {
  expect(byYargs([argument])).toEqual({ kind: "version" });
  expect(readCheaply(COMMANDS, [argument])).toEqual({ kind: "version" });
});

/** Returns how yargs refuses it. */
function refusal(argv: readonly string[]): LockkeeperError {
  try {
    readWithYargs(COMMANDS, argv);
  } catch (error) {
    if (error instanceof LockkeeperError) return error;
    throw error;
  }
  throw new Error(`accepted: ${argv.join(" ")}`);
}

describe("mistakes", () => {
  test.each<[readonly string[], RegExp, RegExp]>([
    [["strat", "dev"], /strat/, /start/],
    [["satrt"], /satrt/, /start/],
    [["start", "dev", "--prot", "1"], /no option --prot/, /--port/],
    [["create"], /create: <name> is missing/, /lockkeeper create dev$/],
    [["create", "a", "b"], /no further argument: b/, /lockkeeper create a -- b$/],
    [
      ["create", "web", "node", "server.js", "--port", "1"],
      /further/,
      /lockkeeper create web -- node server.js --port 1$/,
    ],
    [["create", "web", "node server.js --port {port}"], /further/, /create web -- node server.js --port \{port\}$/],
    [["rename", "a"], /rename: <new> is missing/, /lockkeeper rename dev staging$/],
    [["stop", "dev", "--confirm"], /--confirm needs a value: --confirm <name>/, /stop --help/],
    [["completion", "powershell"], /<shell> is one of bash, zsh, fish, not "powershell"/, /completion --help/],
    [["dev", "start"], /no such command: dev/, /lockkeeper start dev$/],
    [["delete", "dev"], /no such command: delete/, /lockkeeper remove dev$/],
    [[""], /no such command: ""/, /lockkeeper --help$/],
    [["help", "nope"], /no such command: nope/, /lockkeeper --help$/],
    [["help", "strat"], /no such command: strat/, /start/],
    [["kill", "dev"], /kill/, /lockkeeper stop dev$/],
    [["new", "dev"], /new/, /lockkeeper create dev$/],
    [["add"], /add/, /lockkeeper create$/],
    [["init"], /init/, /lockkeeper create$/],
    [["switch", "dev"], /switch/, /lockkeeper use dev$/],
    [["info"], /info/, /lockkeeper status$/],
    [["list", "--constructor"], /no option --constructor/, /list --help/],
    [["list", "--__proto__=x"], /no option --__proto__/, /list --help/],
    [["--foo", "list"], /list has no option --foo/, /list --help/],
    [["list", "--", "x"], /nothing after --/, /list --help/],
    [["create", "a", "--port"], /port/, /create --help/],
    [["list", "--no-json"], /no option --no-json/, /--json|list --help/],
    [["list", "--json=maybe"], /./, /./],
    [["--nope"], /./, /--help/],
  ])("%j is refused", (argv, message, hint) => {
    expect(readCheaply(COMMANDS, argv)).toBeUndefined();
    const error = refusal(argv);
    expect(error.code).toBe("USAGE");
    expect(`${error.message} ${error.hint}`).toMatch(message);
    expect(`${error.message} ${error.hint}`).toMatch(hint);
    expect(error.message).not.toContain("\n");
  });
});

test("a comment that the shell passed on is named, and no hint repeats it; as the value of an option it is a value", () => {
  for (const argv of [
    ["list", "#", "what", "exists"],
    ["create", "c1", "#", "mine"],
    ["import", "openclaw", "work", "#", "nothing", "moves"],
    ["discover", "#", "--nope"],
  ]) {
    expect(() => readWithYargs(COMMANDS, argv)).toThrow(
      expect.objectContaining({ code: "USAGE", message: expect.stringContaining("comment") as string }),
    );
    expect(readCheaply(COMMANDS, argv)).toBeUndefined();
  }
  expect(readWithYargs(COMMANDS, ["logs", "dev", "--grep", "#"])).toMatchObject({ options: { grep: ["#"] } });
});
