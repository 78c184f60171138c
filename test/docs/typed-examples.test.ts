/** The examples of the library compile as strict TypeScript, each as it is printed, in a project that has the packages installed. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Pages, and how many of their blocks are whole programs. */
const PAGES: Readonly<Record<string, number>> = {
  "README.md": 1,
  "docs/embedding.md": 1,
  "docs/lock.md": 2,
  "docs/profiles-library.md": 1,
  "packages/core/README.md": 1,
  "packages/profiles/README.md": 1,
};

function blocksOf(page: string): readonly string[] {
  const text = readFileSync(path.join(root, page), "utf8");
  const blocks = [...text.matchAll(/^```(?:js|ts)\n([^]*?)^```/gm)].map(([, block = ""]) => block);
  // The blocks of one page go on where the one before has ended; the others are lines out of a program.
  return page === "docs/profiles-library.md" ? [blocks.join("\n")] : blocks.filter((block) => /^import /m.test(block));
}

test("they compile", () => {
  const project = realpathSync(mkdtempSync(path.join(tmpdir(), "lockkeeper-typed-")));
  onTestFinished(() => rmSync(project, { recursive: true, force: true }));
  // From here the packages are found by their names.
  symlinkSync(path.join(root, "test/node_modules"), path.join(project, "node_modules"));
  const files = Object.entries(PAGES).flatMap(([page, count]) => {
    const blocks = blocksOf(page);
    expect([page, blocks.length]).toEqual([page, count]);
    return blocks.map((block, index) => {
      const file = `${page.replaceAll(/\W/g, "-")}-${index}.mts`;
      writeFileSync(path.join(project, file), block);
      return file;
    });
  });
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    module: "nodenext",
    target: "es2022",
    lib: ["es2022", "esnext.disposable"],
    types: ["node"],
    typeRoots: [path.join(root, "node_modules/@types")],
  };
  writeFileSync(path.join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const { status, stdout } = spawnSync(path.join(root, "node_modules/.bin/tsc"), ["--project", project], {
    encoding: "utf8",
  });
  expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
});
