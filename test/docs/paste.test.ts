/**
 * The command lines of the pages can be pasted into any shell. An interactive zsh knows no comments unless it is told to: it
 * passes `#` and what follows on, and a quote in there leaves the command open.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { bareEnvironment } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

const pages = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(path.join(root, "docs"))
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`),
  ...["cli", "core", "profiles"].map((name) => `packages/${name}/README.md`),
];

/** Lines of the blocks that a reader types; a leading `$ ` shows a prompt. */
function commandLines(page: string): readonly string[] {
  const text = readFileSync(path.join(root, page), "utf8");
  const blocks = [...text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].filter(([, language = ""]) =>
    /^(?:sh)?$/.test(language),
  );
  return blocks.flatMap(([, , block = ""]) => block.split("\n"));
}

test.each(pages)("%s shows no comment in a command line", (page) => {
  expect(commandLines(page).filter((line) => /(?:^|\s)#/.test(line))).toEqual([]);
});

test("there are such lines", () => {
  expect(pages.flatMap(commandLines).filter((line) => line.includes("lockkeeper ")).length).toBeGreaterThan(50);
});

test("the alias of a clone works in a folder with a blank, and Node keeps its hands off the options", async () => {
  const [, alias = ""] = /`(alias lockkeeper=[^`]+)`/.exec(readFileSync(path.join(root, "README.md"), "utf8")) ?? [];
  await withScratchHome(async ({ home, folder }) => {
    const clone = path.join(folder, "a clone");
    mkdirSync(clone);
    symlinkSync(path.join(root, "packages"), path.join(clone, "packages"));
    const script = `${alias}\ncd /\nlockkeeper create dev --env-file /nowhere/dev.env -- node`;
    const env = { ...bareEnvironment(home), PATH: `${path.dirname(process.execPath)}:${process.env["PATH"] ?? ""}` };
    const { status, stderr } = spawnSync("sh", ["-c", script], { cwd: clone, env, encoding: "utf8" });
    // Node itself ends with 9 for such a file.
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining("the env file is missing") as string,
    });
  });
});
