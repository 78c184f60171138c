import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describeHolder, shownCommand } from "../../src/host/holder.ts";

describe("shownCommand", () => {
  test.each([
    [["/usr/bin/node", "/srv/app/server.js", "--token=hunter22"], "/usr/bin/node /srv/app/server.js"],
    [["node", "--enable-source-maps", "dist/main.mjs", "hunter22"], "node dist/main.mjs"],
    [["node", "--require", "./hook.cjs", "-r", "b.js", "main.js"], "node main.js"],
    [["node", "-e", "serve('hunter22')", "x.js"], "node"],
    [["sh", "-c", "curl -H hunter22 x.sh"], "sh"],
    [["bash", "-lc", "hunter22"], "bash"],
    [["python3", "-m", "http.server", "--token", "hunter22"], "python3 -m http.server"],
    [["python3.12", "app.py", "hunter22"], "python3.12 app.py"],
    [["java", "-Dtoken=hunter22", "-jar", "gateway.jar"], "java gateway.jar"],
    [["nc", "-l", "hunter22"], "nc"],
    [["/opt/openclaw/openclaw", "gateway", "run", "--token", "hunter22"], "/opt/openclaw/openclaw"],
    [["openclaw-gateway"], "openclaw-gateway"],
    [["chrome --type=renderer --token=hunter22"], "chrome"],
    [["node --token=hunter22 server.js"], "node"],
    [[""], ""],
    [[], ""],
  ])("%j is shown as %s", (argv, shown) => {
    expect(shownCommand(argv)).toBe(shown);
  });

  test("never shows an option or its value", () => {
    const secret = fc.stringMatching(/^S3CRET[a-z0-9+/=]{0,20}$/u);
    const program = fc.constantFrom("node", "/usr/bin/python3", "sh", "nginx", "bun", "ruby");
    fc.assert(
      fc.property(program, fc.constantFrom("-t", "--token", "--api-key"), secret, (name, option, value) => {
        for (const rest of [[option, value], [`${option}=${value}`], ["a.js", option, value], ["a.js", value]]) {
          expect(shownCommand([name, ...rest])).not.toContain("S3CRET");
        }
      }),
    );
  });
});

describe("describeHolder", () => {
  test.each([
    [{ pid: 12, command: "node server.js", user: "ann" }, "pid 12 (node server.js), user ann"],
    [{ pid: null, command: null, user: null }, "owner not visible"],
    [null, "owner not visible"],
    [undefined, "owner not visible"],
  ])("%j is %s", (holder, text) => {
    expect(describeHolder(holder)).toBe(text);
  });
});
