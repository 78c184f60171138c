import { LockkeeperError } from "@lockkeeper/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCheaply } from "../../src/command-line/cheap-reader.ts";
import type { CommandSpec } from "../../src/command-line/command.ts";
import { COMMANDS } from "../../src/command-line/commands.ts";
import { GLOBAL_OPTIONS, flagName, optionSpec } from "../../src/command-line/options.ts";
import type { OptionName } from "../../src/command-line/options.ts";
import { readWithYargs } from "../../src/command-line/yargs-reader.ts";

/** What yargs makes of it: the request, or the code of the refusal. */
function byYargs(argv: readonly string[]): unknown {
  try {
    return readWithYargs(COMMANDS, argv);
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    return error.code;
  }
}

/** Words of every shape that a command line may hold, right and wrong. */
const word = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom("dev", "prod", "api-2", "bash", "a_ö", "CON", "..", "a/b", "a b", "1", "007"),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom("", "-", "true", "false", "1e3", "0x10", "1.5", "'q'", '"q"', "a=b", "=", "{port}"),
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
  test("where the cheap one answers, yargs answers the same", () => {
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
    // A cheap reader that never answers would pass the property above.
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
  ])("the cheap one answers common calls: %j", (...argv) => {
    const cheap = readCheaply(COMMANDS, argv);
    expect(cheap).toBeDefined();
    expect(byYargs(argv)).toEqual(cheap);
  });
});

/** How yargs refuses it. */
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
    [["create"], /an argument is missing/, /create --help/],
    [["create", "a", "b"], /no further argument: b/, /create --help/],
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
