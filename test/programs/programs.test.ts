/** The programs of docs/programs.md that need nothing beyond this machine; `pnpm e2e:programs` tries the others too. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { CLI_ENTRY, bareEnvironment } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";
import { RECIPES } from "./recipes.ts";
import { tryRecipe } from "./try-recipe.ts";

const page = readFileSync(new URL("../../docs/programs.md", import.meta.url), "utf8");

test("the page shows each of them as it is tried", () => {
  for (const { command } of RECIPES) expect(page).toContain(`\`${command}\``);
});

test.concurrent.each(RECIPES.filter(({ packages }) => packages === undefined))("$command", async (recipe) => {
  const found = recipe.finds?.();
  if (found !== undefined && "missing" in found) {
    console.log(`skipped: ${found.missing}`);
    return;
  }
  const PATH = `${found === undefined ? "" : `${found.folder}:`}${process.env["PATH"] ?? ""}`;
  await expect(withScratchHome((scratch) => tryRecipe(scratch, recipe, PATH))).resolves.toBeUndefined();
});

test("a program that ignores PORT is distinguished from one that opens no port, with the command that helps", async () => {
  await withScratchHome(async ({ home, run, mustRun }) => {
    const other = `const s = require("node:net").createServer().listen(0, "127.0.0.1", () => console.log(s.address().port))`;
    // Behind a shell, as npm runs a script: the listener is not the started process.
    const script = `exec 3>&-; node -e '${other}'; true`;
    expect((await run(["create", "dev", "--", "sh", "-c", script])).status).toBe(0);
    // The help comes during the wait, not only at its end.
    const waiting = spawn(process.execPath, [CLI_ENTRY, "start", "dev", "--timeout", "200s"], {
      env: bareEnvironment(home),
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    waiting.stderr.on("data", (chunk) => (said += String(chunk)));
    await until("the help is shown", () => /starting: listens on .*\. It does not .* --port '\{port\}'\n/.test(said));
    expect(said).not.toContain("error:");
    await mustRun(["stop", "dev"]);
    await until("the start has ended", () => waiting.exitCode !== null);
    const started = await run(["start", "dev", "--timeout", "15s"]);
    expect(started.status).toBe(5);
    expect(started.stderr).toMatch(/listens on 127\.0\.0\.1:\d+ so far, waiting for 127\.0\.0\.1:\d+/);
    expect(started.stderr).toMatch(
      /hint: It does not go by the variable PORT\. .*lockkeeper edit dev -- sh -c .* --port '\{port\}'/,
    );
    await mustRun(["stop", "dev"]);
    expect((await run(["create", "idle", "--", "sh", "-c", "sleep 600"])).status).toBe(0);
    const idle = await run(["start", "idle", "--timeout", "8s"]);
    expect(idle.status).toBe(5);
    expect(idle.stderr).toContain("hint: If it opens no port at all: lockkeeper edit idle --health none");
  });
});

test("for a missing program the hint names the way to run what exists", async () => {
  await withScratchHome(async ({ run, folder }) => {
    writeFileSync(path.join(folder, "serve.sh"), "#!/bin/sh\n", { mode: 0o755 });
    writeFileSync(path.join(folder, "plain.sh"), "#!/bin/sh\n", { mode: 0o644 });
    const hints: Readonly<Record<string, readonly string[]>> = {
      "A program of that folder is named by its path: -- ./serve.sh": ["serve.sh"],
      [`Make it executable: chmod +x ${folder}/plain.sh`]: ["./plain.sh"],
      "Write its words without quotes around all of them: -- node server.js": ["node server.js"],
      "Check the PATH and the spelling; a full path always works.": ["no-such-program"],
    };
    for (const [index, [hint, argv]] of Object.entries(hints).entries()) {
      const name = `p${index}`;
      const created = await run(["create", name, "--", ...argv]);
      expect(created.status).toBe(0);
      expect(created.stderr).toContain(hint);
      const started = await run(["start", name]);
      expect(started.status).toBe(1);
      expect(started.stderr).toContain(`hint: ${hint}\n`);
    }
  });
});
