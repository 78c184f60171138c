/** Profiles under a real systemd user manager: what restarts, what stays stopped, and what a mistake leaves behind. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { CLI_ENTRY } from "../harness/cli.ts";
import type { UserManager } from "../harness/systemd-user.ts";
import { NO_SYSTEMD, withUserManager } from "../harness/systemd-user.ts";
import { until } from "../harness/until.ts";

const withSystemd = test.skipIf(NO_SYSTEMD !== undefined);
if (NO_SYSTEMD !== undefined) process.stdout.write(`skipped: profiles under systemd: ${NO_SYSTEMD}\n`);

const server = fileURLToPath(new URL("fixtures/server.mjs", import.meta.url));
const UNIT = "lockkeeper-prod.service";

interface Listed {
  readonly state: string;
  readonly pid: number | null;
  readonly keeperPid: number | null;
  readonly port: number;
}

async function prod({ lk }: UserManager): Promise<Listed> {
  const { output } = await lk("list prod --json 2>/dev/null");
  return (JSON.parse(output) as readonly Listed[])[0] ?? { state: "gone", pid: null, keeperPid: null, port: 0 };
}

async function done(what: Promise<{ readonly status: number; readonly output: string }>): Promise<string> {
  const { status, output } = await what;
  expect({ status, output }).toMatchObject({ status: 0 });
  return output;
}

function saying(status: number, text: string): unknown {
  return { status, output: expect.stringContaining(text) as string };
}

async function shown({ sh }: UserManager, property: string): Promise<string> {
  return (await sh(`systemctl --user show ${UNIT} --value -p ${property}`)).output.trim();
}

async function untilState(
  manager: UserManager,
  state: string,
  isIt: (now: Listed) => boolean = () => true,
): Promise<Listed> {
  let now = await prod(manager);
  await until(`prod is ${state}`, async () => isIt((now = await prod(manager))) && now.state === state);
  return now;
}

withSystemd(
  "a profile under systemd is ready when healthy, is repaired, stays stopped, and comes back after a reboot",
  async () => {
    await withUserManager(async (manager) => {
      const { sh, lk, home } = manager;
      await done(lk("create prod"));
      await done(lk("service install prod"));
      const file = `${home}/.config/systemd/user/${UNIT}`;
      await done(sh(`systemd-analyze verify --user ${file}`));
      // The check must be able to fail.
      const spoiled = `${home}/spoiled.service`;
      expect(
        (
          await sh(
            `sed 's/^KillMode=.*/KillMode=sometimes/' ${file} >${spoiled}; systemd-analyze verify --user ${spoiled} 2>&1`,
          )
        ).output,
      ).toMatch(/kill mode/i);

      await done(lk("start prod"));
      const first = await prod(manager);
      expect(first.state).toBe("running");
      expect(await shown(manager, "ActiveState")).toBe("active");
      expect(await shown(manager, "StatusText")).toContain(`ws://127.0.0.1:${first.port}`);
      expect(await shown(manager, "MainPID")).toBe(String(first.keeperPid));
      // A variable that could speak for the unit must not reach the gateway.
      expect((await sh(`tr '\\0' '\\n' </proc/${first.pid}/environ`)).output).not.toContain("NOTIFY_SOCKET");

      await sh(`kill -9 ${first.pid}`);
      const second = await untilState(manager, "running", ({ pid }) => pid !== null && pid !== first.pid);
      expect(second.keeperPid).toBe(first.keeperPid);
      await sh(`kill -9 ${second.keeperPid}`);
      const third = await untilState(
        manager,
        "running",
        ({ keeperPid }) => keeperPid !== null && keeperPid !== second.keeperPid,
      );
      await sh(`kill -TERM ${third.keeperPid}`);
      const fourth = await untilState(
        manager,
        "running",
        ({ keeperPid }) => keeperPid !== null && keeperPid !== third.keeperPid,
      );
      expect(fourth.state).toBe("running");

      await done(lk("restart prod"));
      await manager.reboot();
      await untilState(manager, "running");

      await done(lk("stop prod"));
      await until("systemd has noticed it", async () => (await shown(manager, "ActiveState")) === "inactive");
      const restarts = await shown(manager, "NRestarts");
      await sh("sleep 3");
      expect({ state: (await prod(manager)).state, restarts: await shown(manager, "NRestarts") }).toEqual({
        state: "stopped",
        restarts,
      });

      await done(lk("start prod"));
      await done(lk("service uninstall prod"));
      expect((await prod(manager)).state).toBe("stopped");
      expect(
        (
          await sh(`ls -A ${home}/.config/systemd/user; systemctl --user list-units --all --no-legend '*lockkeeper*'`)
        ).output.trim(),
      ).toBe("");
      await done(lk("start prod"));
      await done(lk("stop prod"));
    });
  },
);

withSystemd("a blocked port is told once and never tried again; a gateway that crashes is given up", async () => {
  await withUserManager(async (manager) => {
    const { sh, lk } = manager;
    await done(lk("create prod"));
    await done(lk("service install prod --boot manual"));
    const { port } = await prod(manager);
    await sh(
      `setsid ${process.execPath} ${server} ${port} >/dev/null 2>&1 & echo $! >stranger; for i in $(seq 1200); do (exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null && break; sleep .05; done`,
    );
    const refused = await lk("start prod");
    expect(refused).toMatchObject({ status: 78, output: expect.stringContaining("already listening") as string });
    await sh("sleep 3");
    expect(await shown(manager, "NRestarts")).toBe("0");
    await sh("kill $(cat stranger)");
    await done(lk("start prod"));
    await done(lk("stop prod"));
    // Not enabled at boot: it stays stopped.
    await manager.reboot();
    expect((await prod(manager)).state).toBe("stopped");
    expect((await sh(`systemctl --user is-enabled ${UNIT}`)).output.trim()).toBe("disabled");

    await done(lk("remove prod --yes"));
    await done(lk("create prod -- sh -c 'exit 3'"));
    await done(lk("service install prod"));
    expect((await lk("start prod")).status).toBe(1);
    await until("systemd has given up", async () => (await shown(manager, "ActiveState")) === "failed");
    expect((await prod(manager)).state).toBe("failed");
  });
});

withSystemd("a slow start has its time, and a hanging gateway is restarted by the watchdog", async () => {
  await withUserManager(async (manager) => {
    const { sh, lk, home } = manager;
    await done(lk(`create prod --health / -- ${process.execPath} ${server} {port} slow=14000`));
    await done(lk("service install prod"));
    // Less than the start takes: the keeper must ask for more to succeed.
    await sh(
      `mkdir -p ${home}/.config/systemd/user/${UNIT}.d; printf '[Service]\\nTimeoutStartSec=8\\n' >${home}/.config/systemd/user/${UNIT}.d/own.conf; systemctl --user daemon-reload`,
    );
    await done(lk("start prod --timeout 100s"));
    expect(await shown(manager, "NRestarts")).toBe("0");
    // The owner's own drop-in is respected and named.
    expect(await done(lk("service status prod"))).toContain("own.conf");
    await done(lk("stop prod"));

    await done(lk(`edit prod -- ${process.execPath} ${server} {port}`));
    await done(lk("service install prod --watchdog 8s"));
    await done(lk("start prod"));
    const before = await prod(manager);
    await sh("sleep 10");
    expect(await shown(manager, "NRestarts")).toBe("0");
    await sh(`curl -s -m 1 http://127.0.0.1:${before.port}/hang; true`);
    await untilState(manager, "running", ({ pid }) => pid !== null && pid !== before.pid);
    expect(Number(await shown(manager, "NRestarts"))).toBeGreaterThan(0);
    await done(lk("stop prod"));
  });
});

withSystemd(
  "a gateway that runs by hand is handed over; options that contradict the unit are refused; two mechanisms are refused",
  async () => {
    await withUserManager(async (manager) => {
      const { sh, lk, home } = manager;
      await done(lk("create prod"));
      await done(lk("start prod"));
      const before = await prod(manager);
      expect(await done(lk("service install prod"))).toContain("it runs under it now");
      const after = await prod(manager);
      expect(after).toMatchObject({ state: "running", port: before.port });
      expect(after.keeperPid).not.toBe(before.keeperPid);
      expect((await sh(`pgrep -fc '[g]ateway.cjs'`)).output.trim()).toBe("1");
      expect(await done(lk("service install prod"))).toContain("installed already");

      expect(await lk("start prod --port 25000")).toMatchObject({
        status: 2,
        output: expect.stringContaining("knows no --port") as string,
      });
      expect(await lk("start prod --replace")).toMatchObject({ status: 2 });
      expect(await lk("stop prod --timeout 10m")).toMatchObject({
        status: 2,
        output: expect.stringContaining("--stop-timeout") as string,
      });
      await done(lk("stop prod --timeout 5s"));
      await done(lk("edit prod --lease etcd://127.0.0.1:1/lk/prod"));
      expect(await lk("start prod --no-standby")).toMatchObject({
        status: 2,
        output: expect.stringContaining(
          "lockkeeper stop prod && lockkeeper edit prod --lease 'etcd://127.0.0.1:1/lk/prod?standby=no'",
        ) as string,
      });
      await done(lk("edit prod --unset lease"));
      await done(lk("rename prod other"));
      expect((await sh("systemctl --user is-enabled lockkeeper-other.service")).output.trim()).toBe("enabled");
      await done(lk("rename other prod"));

      const file = `${home}/.config/systemd/user/${UNIT}`;
      await sh(`sed -i 's/^RestartSec=2/RestartSec=9/' ${file}`);
      const edited = await lk("service install prod");
      expect(edited).toMatchObject({ status: 2, output: expect.stringContaining("- RestartSec=9") as string });
      expect((await sh(`grep RestartSec ${file}`)).output.trim()).toBe("RestartSec=9");
      expect((await lk("service status prod")).output).toContain("edited");
      await done(lk("service install prod --yes"));
      await done(lk("service uninstall prod"));

      await sh(
        `printf '[Service]\\nExecStart=/usr/bin/lockkeeper run prod\\n[Install]\\nWantedBy=default.target\\n' >${home}/.config/systemd/user/mine.service; systemctl --user daemon-reload; systemctl --user enable mine.service`,
      );
      expect(await lk("service install prod")).toMatchObject({
        status: 78,
        output: expect.stringContaining("mine.service starts prod already") as string,
      });
      await sh(`systemctl --user disable mine.service; printf '[Service]\\nExecStart=/bin/true\\n' >${file}`);
      expect(await lk("service install prod")).toMatchObject({
        status: 78,
        output: expect.stringContaining("not a unit of Lockkeeper") as string,
      });
      expect((await sh(`cat ${file}`)).output).toContain("/bin/true");
    });
  },
);

withSystemd(
  "a program or variable that only this shell has is told at install, and a manager out of reach is named",
  async () => {
    await withUserManager(async (manager) => {
      const { sh, lk, home } = manager;
      await sh(
        `mkdir -p bin; printf '#!/bin/sh\\nexec ${process.execPath} ${server} "$@"\\n' >bin/only-here; chmod 755 bin/only-here`,
      );
      const here = `PATH=${home}/bin:$PATH`;
      await done(sh(`${here} ${process.execPath} ${CLI_ENTRY} create prod --env API_KEY -- only-here {port}`));
      const missing = await sh(`${here} API_KEY=x ${process.execPath} ${CLI_ENTRY} service install prod`);
      expect(missing).toMatchObject({
        status: 1,
        output: expect.stringContaining(`lockkeeper edit prod -- ${home}/bin/only-here`) as string,
      });
      expect((await sh("ls .config/systemd/user 2>/dev/null")).output).not.toContain(UNIT);
      await done(lk(`edit prod -- ${home}/bin/only-here {port}`));
      const installed = await sh(`API_KEY=x ${process.execPath} ${CLI_ENTRY} service install prod`);
      expect(installed).toMatchObject({
        status: 0,
        output: expect.stringContaining("API_KEY is not in the manager's environment") as string,
      });

      const away = "XDG_RUNTIME_DIR=/nonexistent DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent/bus";
      const lost = (args: string): ReturnType<UserManager["sh"]> =>
        sh(`${away} ${process.execPath} ${CLI_ENTRY} ${args}`);
      expect(await lost("start prod")).toMatchObject({
        status: 78,
        output: expect.stringContaining("the user's systemd cannot be asked") as string,
      });
      expect(await lost("service install prod")).toMatchObject({ status: 78 });
      await done(lk("start prod"));
      // A stop is never refused because there is no manager, which must not take it for a stranger's signal.
      await done(lost("stop prod"));
      await until("the unit has ended", async () => (await shown(manager, "ActiveState")) === "inactive");
      expect((await prod(manager)).state).toBe("stopped");

      await done(lk("start prod"));
      await sh("chmod 500 .config/systemd/user");
      await done(lk("create dev"));
      const unwritable = await lk("service install dev");
      expect(unwritable).toMatchObject({
        status: 77,
        output: expect.stringContaining(".config/systemd/user") as string,
      });
      expect((await lk("list dev --json")).output).not.toContain("lockkeeper-dev.service");
      await sh("chmod 700 .config/systemd/user");
      await done(lk("stop prod"));
    });
  },
);

withSystemd("a home with blanks, quotes, percent and dollar signs works", async () => {
  await withUserManager(async (manager) => {
    const { lk } = manager;
    await done(lk("create prod"));
    await done(lk("service install prod"));
    await done(lk("start prod"));
    expect((await prod(manager)).state).toBe("running");
    await done(lk("stop prod"));
  }, `a b%h$HOME"q'é`);
});

withSystemd(
  "a unit that was removed, cannot be read, or has a rival by another path is told as that, and nothing of it is left",
  async () => {
    await withUserManager(async (manager) => {
      const { sh, lk, home } = manager;
      const units = `${home}/.config/systemd/user`;
      await done(lk("create prod"));
      await done(lk("service install prod"));
      await done(lk("start prod"));
      expect(await done(lk("status prod"))).toMatch(/kept by +lockkeeper-prod\.service \(systemd\)/);
      // A file that is gone while its gateway runs.
      await sh(`rm ${units}/${UNIT}`);
      await done(lk("stop prod"));
      expect(await lk("start prod")).toEqual(saying(1, "that unit's file is gone"));
      expect(await lk("service status prod")).toEqual(saying(1, "absent"));
      await done(lk("service uninstall prod"));
      expect((await sh(`find ${home}/.config/systemd -name 'lockkeeper*'`)).output).toBe("");

      await done(lk("service install prod"));
      for (const spoil of [`chmod 000 ${units}/${UNIT}`, `rm -f ${units}/${UNIT}; mkdir ${units}/${UNIT}`]) {
        await sh(spoil);
        expect(await lk("service status")).toEqual(saying(1, "unreadable"));
        expect(await lk("doctor")).toEqual(saying(1, "cannot be read"));
        for (const verb of ["install", "uninstall"]) {
          expect(await lk(`service ${verb} prod`)).toEqual(saying(78, "left alone"));
        }
      }
      await sh(`rmdir ${units}/${UNIT}`);
      await done(lk("service uninstall prod"));

      // The same home by another path, and pm2's saved list.
      await sh(
        `ln -s ${home}/.lockkeeper link; printf '[Service]\\nExecStart=/usr/bin/lockkeeper run prod\\nEnvironment=LOCKKEEPER_HOME=%%h/link\\n[Install]\\nWantedBy=default.target\\n' >${units}/mine.service; systemctl --user daemon-reload; systemctl --user enable mine.service`,
      );
      expect(await lk("service install prod")).toEqual(saying(78, "mine.service starts prod already"));
      await sh("systemctl --user disable mine.service");
      const saved = [{ name: "gw", pm_exec_path: "/usr/bin/lockkeeper", args: ["run", "prod"], env: {} }];
      await sh(`mkdir .pm2; echo '${JSON.stringify(saved)}' >.pm2/dump.pm2`);
      expect(await lk("service install prod")).toEqual(saying(78, "pm2 delete gw && pm2 save"));
      // Another profile of that list is no rival.
      await sh(`sed -i 's/prod/dev/' .pm2/dump.pm2`);
      await done(lk("service install prod"));
      await sh(`sed -i 's/dev/prod/' .pm2/dump.pm2`);
      expect(await lk("doctor")).toEqual(saying(1, "pm2 (gw) starts prod beside lockkeeper-prod.service"));
      // A launcher that is gone.
      await sh(`sed -i 's#^ExecStart="[^"]*"#ExecStart="/gone/node"#' ${units}/${UNIT}`);
      expect(await lk("doctor")).toEqual(saying(1, "starts a program that is not there any more"));
    });
  },
);

withSystemd("between two tries of systemd a stop is one, and a run by hand is none of the unit's", async () => {
  await withUserManager(async (manager) => {
    const { sh, lk } = manager;
    await done(lk("create prod -- sh -c 'exit 3'"));
    await done(lk("service install prod"));
    // No further try comes before the stop, however slow the host is.
    await sh(
      `mkdir -p .config/systemd/user/${UNIT}.d; printf '[Service]\\nRestartSec=600\\n' >.config/systemd/user/${UNIT}.d/own.conf; systemctl --user daemon-reload`,
    );
    expect((await lk("start prod")).status).toBe(1);
    await until("systemd waits", async () => (await shown(manager, "SubState")) === "auto-restart");
    expect(await done(lk("stop prod"))).toContain("prod: stopped");
    expect(await shown(manager, "ActiveState")).toBe("inactive");
    expect((await prod(manager)).state).toBe("stopped");
    expect(await done(lk("stop prod"))).toContain("already stopped");

    await done(lk(`edit prod -- ${process.execPath} ${server} {port}`));
    await sh(`setsid ${process.execPath} ${CLI_ENTRY} run prod >/dev/null 2>&1 &`);
    await done(lk("wait prod"));
    expect(await shown(manager, "ActiveState")).toBe("inactive");
    await done(lk("stop prod"));
    expect((await prod(manager)).state).toBe("stopped");

    await sh(`setsid ${process.execPath} ${CLI_ENTRY} run prod >/dev/null 2>&1 &`);
    await done(lk("wait prod"));
    await done(lk("restart prod"));
    expect(await shown(manager, "MainPID")).toBe(String((await prod(manager)).keeperPid));
    await done(lk("stop prod"));
    expect(await shown(manager, "ActiveState")).toBe("inactive");
  });
});

withSystemd("the unit of a gateway that takes its time to end is removed when it has ended", async () => {
  await withUserManager(async (manager) => {
    const { sh, lk } = manager;
    // Longer than one call of the manager may take.
    await done(lk(`create prod --stop-timeout 60s -- ${process.execPath} ${server} {port} end=22000`));
    await done(lk("service install prod"));
    await done(lk("start prod"));
    expect(await done(lk("service uninstall prod"))).toContain("is gone");
    expect((await prod(manager)).state).toBe("stopped");
    expect((await sh("ls -A .config/systemd/user")).output.trim()).toBe("");
  });
});

withSystemd("what a stop would spare ends with the unit, and install says so", async () => {
  await withUserManager(async (manager) => {
    const { sh, lk } = manager;
    await done(lk(`create prod -- sh -c 'setsid sleep 1234 & exec ${process.execPath} ${server} {port}'`));
    expect(await done(lk("service install prod"))).toContain("ends with lockkeeper-prod.service");
    await done(lk("start prod"));
    await until("it has begun", async () => (await sh("pgrep -fc '^sleep 1234'")).output.trim() === "1");
    await done(lk("stop prod"));
    await until("the manager has ended it", async () => (await sh("pgrep -f '^sleep 1234'")).status === 1);
    await done(lk("edit prod --end all"));
    expect(await done(lk("service install prod"))).not.toContain("sessions of their own");
  });
});
