/**
 * `lockkeeper run` as the first process of a container: it adopts what a gateway leaves behind and cannot reap it. It
 * says so, and so does `doctor` inside. Behind an init nothing is left and nothing is said. A namespace of its own
 * stands in for the container.
 */
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { bareEnvironment, CLI_ENTRY } from "../harness/cli.ts";
import { until } from "../harness/until.ts";
import { fixture, withProfiles } from "./scratch-profiles.ts";

const UNSHARE = ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child"];
const IS_ALLOWED = spawnSync("unshare", [...UNSHARE.slice(0, -1), "true"]).status === 0;
if (!IS_ALLOWED) process.stdout.write("skipped: this machine makes no pid namespaces for us (unshare)\n");

/** Helpers that end after their parent: each becomes a child of the first process. */
const ORPHANS = 4;
const SCRIPT = `i=0; while [ $i -lt ${ORPHANS} ]; do i=$((i + 1)); sh -c 'sleep 0.1 & exit 0'; done; exec "$0" "$1" "$2"`;

/** The state, parent and session of every process that this namespace shows. Source: proc_pid_stat(5). */
function processes(): readonly { readonly pid: number; readonly state: string; readonly parent: number }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return [{ pid: Number(name), state, parent: Number(parent) }];
      } catch {
        return [];
      }
    });
}

describe.runIf(IS_ALLOWED)("the first process of a container", () => {
  test.each([
    { init: "none", prefix: [] },
    // A waiting shell reaps whatever ends, as any init does.
    { init: "a shell that waits", prefix: ["sh", "-c", '"$@" & wait', "init"] },
  ])("reaps the leftovers of a gateway, or says that it cannot: init: $init", ({ prefix }) =>
    withProfiles(async ({ profiles, create, home }) => {
      const hasInit = prefix.length > 0;
      await create({ name: "dev", span: 1, argv: ["sh", "-c", SCRIPT, ...fixture("serve", "{port}")], health: "tcp" });
      const run = [...prefix, process.execPath, CLI_ENTRY, "run", "dev", "--no-output"];
      const container = spawn("unshare", [...UNSHARE, ...run], {
        env: bareEnvironment(home),
        stdio: ["ignore", "ignore", "pipe"],
      });
      onTestFinished(() => void container.kill("SIGKILL"));
      let said = "";
      container.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
      await until("it runs there", async () => (await profiles.list())[0]?.state === "running");
      const first = processes().find(({ parent }) => parent === container.pid)?.pid ?? 0;
      const zombies = (): number => processes().filter((each) => each.parent === first && each.state === "Z").length;
      const left = hasInit ? 0 : ORPHANS;
      await until("its helpers have ended", () => (hasInit ? zombies() === 0 : zombies() >= left));
      if (!hasInit) await until("it says what it needs", () => said.includes("docker run --init"));
      expect(said.includes("docker run --init")).toBe(!hasInit);
      const inside = ["--target", String(first), "--pid", "--mount", process.execPath, CLI_ENTRY, "doctor"];
      const doctor = spawnSync("nsenter", inside, { env: bareEnvironment(home), encoding: "utf8" });
      expect(doctor.stdout.includes("is never reaped")).toBe(!hasInit);
      container.kill("SIGKILL");
      await until("the container is gone", () => container.signalCode !== null || container.exitCode !== null);
      await until("its death is seen", async () => (await profiles.list())[0]?.state === "stopped");
    }),
  );
});
