/**
 * A command that hands its work to a daemon (`docker run -d`, `tmux new -d`): without a health check it counts as
 * running, and its listener is not in its process tree. The commands say so, during the run and afterwards, and a stop
 * names what is left and how to end it.
 */
import type { LockkeeperError } from "@lockkeeper/core";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { holdPort } from "../harness/ports.ts";
import { until } from "../harness/until.ts";
import { fixture, gatewaysOf, isAlive, killAndWait, ownersOf, withProfiles } from "./scratch-profiles.ts";
import type { ScratchProfiles } from "./scratch-profiles.ts";

/** A command whose server has its own session and lacks the lock's descriptor; `clean` removes its environment too. */
function handingOn(clean: string): string[] {
  const [node = "", serve = ""] = fixture("serve");
  const script = `(${clean} setsid "$0" "$1" "$2" 3>&- >/dev/null 2>&1 &); exec sleep 600`;
  return ["sh", "-c", script, node, serve, "{port}"];
}

/** Starts it, and returns the serving process. */
async function startHandingOn(
  { profiles, create }: ScratchProfiles,
  clean: string,
): Promise<readonly [number, number]> {
  const { port } = await create({ name: "dev", span: 1, argv: handingOn(clean), health: "none" });
  await profiles.start("dev");
  await until("its daemon listens", () => ownersOf(port).size > 0);
  const [daemon = 0] = ownersOf(port);
  onTestFinished(() => {
    if (isAlive(daemon)) process.kill(daemon, "SIGKILL");
  });
  return [port, daemon];
}

describe.runIf(process.platform === "linux")("a daemon that does the work of a command", () => {
  test.each(["keeper", "orphan"])("is named as such, and a stop names it and the way to end it (%s)", (who) =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      const [port, daemon] = await startHandingOn(scratch, "env -i");
      const verdictOf = async (): Promise<unknown> => (await profiles.ports()).blocks[0]?.listeners[0]?.verdict;
      expect(await verdictOf()).toBe("outside");
      expect((await profiles.diagnose()).map(({ code }) => code)).not.toContain("port-conflict");
      if (who === "orphan") await killAndWait((await profiles.status("dev")).keeperPid);
      const left = {
        code: "STOP_INCOMPLETE",
        message: expect.stringContaining("its process tree is gone") as string,
        hint: expect.stringMatching(new RegExp(`kill ${daemon}$`)) as string,
      };
      await expect(profiles.stop("dev")).rejects.toMatchObject(left);
      expect(gatewaysOf(scratch.home, "sleep")).toEqual([]);
      expect(await profiles.status("dev")).toMatchObject({ state: "stopped", pid: null });
      expect(await verdictOf()).toBe("outside");
      expect((await profiles.ports()).conflicts).toMatchObject([
        { port, owner: expect.stringContaining("outside of its process tree") as string },
      ]);
      // Repeatedly, with a start in between.
      for (const state of ["stopped", "blocked"]) {
        await expect(profiles.stop("dev")).rejects.toMatchObject(left);
        await expect(profiles.start("dev")).rejects.toMatchObject({ code: "PORT_IN_USE", hint: left.hint });
        expect({ state, now: (await profiles.status("dev")).state }).toMatchObject({ now: "blocked" });
      }
      await killAndWait(daemon);
      await profiles.stop("dev");
      // A process that takes the port now is a stranger, and not part of any run.
      const held = await holdPort(port);
      expect(await verdictOf()).toBe("stranger");
      const refused: unknown = await profiles.start("dev").catch((error: unknown) => error);
      expect((refused as LockkeeperError).hint).toBe(`lockkeeper ports --explain ${port}`);
      await held.release();
    }),
  );

  test("that keeps the environment of the run belongs to the run, and ends with it", () =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      const [port, daemon] = await startHandingOn(scratch, "");
      expect((await profiles.ports()).blocks[0]?.listeners[0]).toMatchObject({ verdict: "own", pid: daemon });
      expect((await profiles.stop("dev")).outcome).toBe("stopped");
      expect(isAlive(daemon)).toBe(false);
      expect(ownersOf(port).size).toBe(0);
    }));

  test("is named as the reason why a command that ends at once cannot be started again", () =>
    withProfiles(async ({ profiles, create, folder }) => {
      const ready = path.join(folder, "ready");
      // It ends when its daemon listens, and some time after it counts as running.
      const wait = `until [ -s '${ready}' ]; do sleep 0.1; done; sleep 1`;
      const argv = handingOn("env -i").map((part) =>
        part.replace("exec sleep 600", wait).replace(">/dev/null", `>'${ready}'`),
      );
      const { port } = await create({ name: "dev", span: 1, argv, health: "none" });
      await profiles.start("dev").catch(() => undefined);
      await until("the next start is refused", async () => (await profiles.status("dev")).state === "blocked");

      expect((await profiles.status("dev")).reason).toContain("its command hands its work to a daemon");
      await killAndWait(...ownersOf(port));
    }));
});
