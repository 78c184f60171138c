/** The checks of `pnpm lint`: each passes sound code and reports a planted fault. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const oxlint = path.join(root, "node_modules/.bin/oxlint");

type Files = Readonly<Record<string, string>>;

/** Makes a folder of its own with these files in it. */
function planted(files: Files): string {
  const folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-lint-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

/** Returns the rules that these files break, by the project's own configuration: one entry for each fault. */
function faultsIn(files: Files): readonly string[] {
  const folder = planted(files);
  const args = ["--config", path.join(root, ".oxlintrc.json"), "--format", "unix", folder];
  const { stdout } = spawnSync(oxlint, args, { cwd: root, encoding: "utf8" });
  return [...stdout.matchAll(/\[\w+\/(.+)\]$/gm)].map(([, rule]) => rule ?? "");
}

/** The same, each rule once. */
const broken = (files: Files): readonly string[] => [...new Set(faultsIn(files))];

const testFile = (word: string, body: string): Files => ({
  "a.test.ts": `import { expect, ${word} } from "vitest";\n\n${word}("holds", () => {\n  ${body}\n});\n`,
});

describe("imports", () => {
  const SOUND: Files = {
    "a.ts": 'import { b } from "./b.ts";\n\nexport const a = (): number => b();\n',
    "b.ts": "export const b = (): number => Date.now();\n",
  };

  test("without a circle pass", () => {
    expect(broken(SOUND)).toEqual([]);
  });

  test.each([
    ["of values", 'import { a } from "./a.ts";\n\nexport const b = (): number => a();\n'],
    ["of types", 'import type { A } from "./a.ts";\n\nexport const b = (): A | number => 1;\n'],
  ])("in a circle are reported: %s", (_, text) => {
    const files = { ...SOUND, "b.ts": text, "a.ts": `${SOUND["a.ts"]}\nexport type A = string;\n` };
    expect(broken(files)).toEqual(["import(no-cycle)"]);
  });

  test("of a type are on a line of their own", () => {
    const text = 'import { type B, b } from "./b.ts";\n\nexport const a = (): B => b();\n';
    expect(
      broken({ "a.ts": text, "b.ts": "export type B = number;\nexport const b = (): B => Date.now();\n" }),
    ).toEqual(["import(consistent-type-specifier-style)"]);
  });
});

/** Makes a file for each of these values, which has this name. */
const named = (name: string, values: readonly string[]): Files =>
  Object.fromEntries(values.map((value, place) => [`${place}.ts`, `export const ${name} = ${value};\n`]));

describe("names", () => {
  const DATA = ["60 * 1_000", '"word"', "/[a-z]/", '["a", "b"] as const', 'new Set(["a"])', "{ least: 1, most: [2] }"];
  const OTHER = ["(): number => 1", "[] as string[]", "new Map<string, string>()", "Date.now()"];

  test("of data are in capitals; all others are free", () => {
    expect(broken(named("LIMITS", DATA))).toEqual([]);
    expect(broken(named("limits", OTHER))).toEqual([]);
    expect(faultsIn(named("limits", DATA))).toEqual(DATA.map(() => "house(constant-case)"));
  });
});

/** A function behind this docstring. */
const documented = (text: string): Files => ({ "a.ts": `${text}\nexport const a = (): number => Date.now();\n` });

test("a tag of a docstring begins its line, unless that is the only one", () => {
  const sound = "/**\n * Returns it.\n *\n * @param b of it. @default 1\n * @throws {Error} never.\n */";
  expect(broken(documented("/** Returns it. @throws {Error} never. */"))).toEqual([]);
  expect(broken(documented(sound))).toEqual([]);
  expect(broken(documented(sound.replace("\n * @throws", " @throws")))).toEqual(["house(tag-begins-line)"]);
});

test("a test asserts something, and is called test", () => {
  expect(broken(testFile("test", "expect(1).toBe(1);"))).toEqual([]);
  expect(broken(testFile("it", "expect(1).toBe(1);"))).toEqual(["vitest(consistent-test-it)"]);
  expect(broken(testFile("test", "expect;"))).toContain("vitest(expect-expect)");
});

/** A test whose body waits for something. */
const waiting = (line: string): Files =>
  testFile("test", `expect(async () => {\n    ${line}\n  }).toBeTypeOf("function");`);

test("a command in a test is one that must succeed, or its result is read", () => {
  expect(broken(waiting('expect((await run(["list"])).status).toBe(0);'))).toEqual([]);
  expect(broken(waiting('await mustRun(["create", "dev"]);'))).toEqual([]);
  for (const call of ['run(["create", "dev"])', "scratch.run(words, { env })"])
    expect(broken(waiting(`await ${call};`))).toEqual(["house(command-must-succeed)"]);
});

describe("rooms", () => {
  const packages = ["core", "profiles", "cli"];
  const page = packages.map((name) => `### \`packages/${name}\`\n\n| \`low\` | a |\n| \`high\` | b |\n`).join("\n");
  const SOUND: Files = Object.fromEntries([
    ["ARCHITECTURE.md", page],
    ...packages.flatMap((name) => [
      [`packages/${name}/src/low/a.ts`, "export const a = (): number => 1;\n"],
      [`packages/${name}/src/high/b.ts`, 'import { a } from "../low/a.ts";\n\nexport const b = a;\n'],
    ]),
  ]);
  const check = (files: Files): { readonly status: number | null; readonly said: string } => {
    const script = path.join(root, "scripts/check-rooms.js");
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, planted(files)], { encoding: "utf8" });
    return { status, said: stdout + stderr };
  };

  test("in the order of the page pass, and so does this project", () => {
    expect(check(SOUND)).toEqual({ status: 0, said: "" });
    expect(spawnSync(process.execPath, ["scripts/check-rooms.js"], { cwd: root }).status).toBe(0);
  });

  test.each(packages)("may not import upwards, not even a type: %s", (name) => {
    const low = {
      [`packages/${name}/src/low/a.ts`]: 'import type { b } from "../high/b.ts";\n\nexport type A = typeof b;\n',
    };
    const { status, said } = check({ ...SOUND, ...low });
    expect(status).toBe(1);
    expect(said).toContain(`${name}:`);
    expect(said).toContain("low/a.ts");
  });

  test("are all on the page", () => {
    const { status, said } = check({ ...SOUND, "packages/core/src/attic/c.ts": "export const c = (): number => 1;\n" });
    expect(status).toBe(1);
    expect(said).toContain("attic");
  });
});
