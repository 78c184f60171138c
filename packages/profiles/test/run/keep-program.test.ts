/** A keeper has the whole text of the gateway's program, also where that is behind a loader, and after its removal. */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readKeptProgram } from "@lockkeeper/core/internal";
import { CLI_ENTRY } from "../../../../test/harness/cli.ts";
import { createProfile } from "../../src/life/create.ts";
import { keepProgram } from "../../src/run/keep-program.ts";
import { runProfile } from "../../src/run/run.ts";
import { scratchContext } from "../life/scratch-context.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-kept-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function kept(file: string): string | undefined {
  const found = keepProgram(file);
  if (found === undefined) return undefined;
  expect(found.path).toBe(file);
  try {
    return Buffer.from(readKeptProgram(found)).toString();
  } finally {
    closeSync(found.fd);
  }
}

/** Runs the text as a keeper does when the file is gone. */
function runText(text: string | undefined): string {
  const env = { PATH: process.env["PATH"] };
  return spawnSync(process.execPath, ["-"], { cwd: folder, env, input: text, encoding: "utf8" }).stdout;
}

test("of the bundle it is the one file that the loader loads, which needs no other and runs by itself", () => {
  const loader = path.join(path.dirname(CLI_ENTRY), "gateway.cjs");
  const files = readdirSync(path.join(path.dirname(CLI_ENTRY), "gateway")).filter((name) => name.endsWith(".cjs"));
  expect(files).toHaveLength(1);
  const text = kept(loader);
  const asked = [...(text ?? "").matchAll(/require\(["'`]([^"'`]+)["'`]\)/g)].map(([, id = ""]) => id);
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter((id) => /^[./]/.test(id))).toEqual([]);
  expect(runText(text)).toContain("this program is started by a keeper");
});

test("a file that the loader does not name is not taken for it", () => {
  const loader = path.join(folder, "gateway.cjs");
  mkdirSync(path.join(folder, "gateway"));
  for (const name of ["old", "new"]) {
    writeFileSync(path.join(folder, "gateway", `gateway-${name}.cjs`), `require("fs").writeSync(1, "${name}");`);
  }
  writeFileSync(loader, 'load("gateway", "gateway-new.cjs");');
  expect(runText(kept(loader))).toBe("new");
  writeFileSync(loader, "a whole program");
  expect(kept(loader)).toBe("a whole program");
});

test("a program without such a folder is its own text, and a missing one is none", () => {
  const program = path.join(folder, "gateway.js");
  expect(kept(program)).toBeUndefined();
  writeFileSync(program, "a whole program");
  expect(kept(program)).toBe("a whole program");
});

test("a program that was removed is read as often as it is needed", () => {
  const program = path.join(folder, "gateway.js");
  writeFileSync(program, "a whole program");
  const found = keepProgram(program);
  rmSync(program);
  expect(found).toBeDefined();
  if (found === undefined) return;
  for (let start = 0; start < 3; start += 1) {
    expect(Buffer.from(readKeptProgram(found)).toString()).toBe("a whole program");
  }
  closeSync(found.fd);
});

/** The descriptors of this process that have the file open. */
function descriptorsOf(file: string): readonly string[] {
  return readdirSync("/proc/self/fd").filter((fd) => {
    const link = `/proc/self/fd/${fd}`;
    // The descriptor of this very listing is closed by now.
    return existsSync(link) && readlinkSync(link) === file;
  });
}

test.skipIf(process.platform !== "linux")(
  "a program that embeds runs has the file open during a run alone, whether it ends well or fails (skipped but on Linux: it reads /proc)",
  async () => {
    const context = scratchContext();
    const gateway = path.join(folder, "gateway.js");
    writeFileSync(gateway, "setInterval(() => undefined, 1000);");
    const programs = { ...context.programs, gateway };
    const { paths } = await createProfile(context.home, { name: "dev" });
    const stop = new AbortController();
    let during: readonly string[] = [];
    const report = (): void => {
      during = descriptorsOf(gateway);
      stop.abort();
    };
    const force = AbortSignal.abort();
    const options = { supervised: false, stop: stop.signal, force, report };
    expect(await runProfile({ ...context, programs }, "dev", options)).toMatchObject({ outcome: "stopped" });
    expect(during).toHaveLength(1);
    expect(descriptorsOf(gateway)).toEqual([]);
    // No lock can be taken where there is no directory.
    rmSync(paths.lock, { recursive: true });
    writeFileSync(paths.lock, "");
    const goesOn = { ...options, stop: new AbortController().signal };
    await expect(runProfile({ ...context, programs }, "dev", goesOn)).rejects.toMatchObject({ code: "UNSAFE_PATH" });
    expect(descriptorsOf(gateway)).toEqual([]);
  },
);
