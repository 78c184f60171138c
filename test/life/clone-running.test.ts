/** A clone of a running profile: refused with the reason, or made with a short stop that always ends. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";

/** Keeps its own pid in its state. */
const SERVER = `
require("node:fs").writeFileSync(process.env.LOCKKEEPER_STATE_DIR + "/pid", String(process.pid));
require("node:http").createServer((q, r) => r.end("hello")).listen(process.env.PORT, process.env.HOST);`;

interface Status {
  readonly name: string;
  readonly state: string;
  readonly pid: number;
  readonly port: number;
  readonly paths: { readonly state: string };
}

test("clone --stop: whole files, and the original serves again on the port that it had", async () => {
  await withScratchHome(async ({ run, json }) => {
    expect((await run(["create", "prod", "--protected", "--", process.execPath, "-e", SERVER])).status).toBe(0);
    const { nextFree } = (await json(["ports", "--next"])) as { nextFree: number };
    const other = nextFree + 100;
    expect((await run(["start", "prod", "--port", String(other)])).status).toBe(0);
    const look = async (): Promise<Status> => (await json(["status", "prod"])) as Status;
    const before = await look();

    const refused = await run(["clone", "prod", "copy", "--confirm", "prod"]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("would be copied in part");
    expect(refused.stderr).toContain("lockkeeper clone prod copy --stop");
    const unconfirmed = await run(["clone", "prod", "copy", "--stop"]);
    expect(unconfirmed.status).toBe(2);
    for (const wrong of [["prod"], ["COPY"], ["copy", "--port", "70000"], ["copy", "--include", "everything"]])
      expect((await run(["clone", "prod", ...wrong, "--stop", "--confirm", "prod"])).status).not.toBe(0);
    // A fault that can be known before is refused before anything is stopped.
    expect((await look()).pid).toBe(before.pid);

    const cloned = await run(["clone", "prod", "copy", "--stop", "--confirm", "prod"]);
    expect({ status: cloned.status, stdout: cloned.stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("1 file") as string,
    });
    expect(cloned.stderr).toContain("prod was stopped for the copy and runs again");
    const after = await look();
    expect(after).toMatchObject({ state: "running", port: other });
    expect(after.pid).not.toBe(before.pid);
    const [copy] = (await json(["list", "copy"])) as readonly Status[];
    expect(copy).toMatchObject({ state: "stopped" });
    expect(readFileSync(path.join(copy?.paths.state ?? "", "pid"), "utf8")).toBe(String(before.pid));

    // A copy that fails after the stop: another profile has the port.
    const failed = await run(["clone", "prod", "third", "--stop", "--confirm", "prod", "--port", String(copy?.port)]);
    expect(failed.status).toBe(78);
    expect(await look()).toMatchObject({ state: "running", port: other });

    expect(await json(["clone", "copy", "fourth", "--stop"])).toMatchObject({ restarted: false });
  });
});
