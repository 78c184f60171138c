/**
 * A quadlet: a `.container` file from which podman's generator makes a systemd service. Pure.
 * Source: podman-systemd.unit(5) of podman 5.4, and systemd.syntax(7) for `%` and quoting.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { PERMANENT_EXIT_STATUS } from "@lockkeeper/core/internal";
import { healthCommand } from "./container-plan.ts";
import type { ContainerPlan } from "./container-plan.ts";

/** systemd waits a little longer than podman does before it kills, in seconds. */
const SYSTEMD_GRACE_S = 15;

/** Returns the file's name. */
export function quadletName({ profile }: ContainerPlan): string {
  return `${unitName(profile)}.container`;
}

/** The name that podman's generator gives to the service, without its suffix. */
function unitName(profile: string): string {
  return `lockkeeper-${profile}`;
}

/**
 * Returns the file's text.
 *
 * @throws {LockkeeperError} OPTION_INVALID for a path that a quadlet's volume cannot express.
 */
export function formatQuadlet(plan: ContainerPlan, image: string): string {
  const { profile, uid, gid, home, userHome, network, mounts, memoryMaxBytes } = plan;
  const colon = mounts.find(({ path }) => /[:\\"']/.test(path));
  if (colon !== undefined) {
    throw new LockkeeperError(
      "OPTION_INVALID",
      `${profile} cannot be exported as a quadlet: a volume cannot name ${colon.path}`,
      {
        hint: "Move it to a path without colons, quotes and backslashes.",
      },
    );
  }
  return [
    "[Unit]",
    `Description=Lockkeeper gateway ${profile}`,
    // A profile that is not exported with it has no unit, which systemd treats like a unit that has ended.
    ...plan.after.flatMap((other) => [`Wants=${unitName(other)}.service`, `After=${unitName(other)}.service`]),
    "StartLimitIntervalSec=300",
    "StartLimitBurst=5",
    "",
    "[Container]",
    `Image=${plain(image)}`,
    `ContainerName=${unitName(profile)}`,
    `Exec=run ${profile}`,
    "RunInit=true",
    `User=${uid}`,
    `Group=${gid}`,
    // Otherwise rootless podman would use its own user numbers.
    ...(uid === 0 ? [] : [`UserNS=keep-id:uid=${uid},gid=${gid}`]),
    `Environment="LOCKKEEPER_HOME=${plain(home)}"`,
    `Environment="HOME=${plain(userHome)}"`,
    ...plan.passEnv.map((name) => `PodmanArgs=--env=${name}`),
    ...mounts.map(({ path, role }) => `Volume=${plain(path)}:${plain(path)}${role === "file" ? ":ro" : ""}`),
    ...(network === "host"
      ? ["Network=host"]
      : network.published.map(
          (port) => `PublishPort=${network.address === "::" ? "" : `${network.address}:`}${port}:${port}`,
        )),
    ...(plan.kind === "builtin" ? ["ReadOnly=true"] : []),
    "Tmpfs=/tmp",
    ...(plan.sharedMemoryGiB === undefined ? [] : [`ShmSize=${plan.sharedMemoryGiB}g`]),
    ...(memoryMaxBytes === undefined ? [] : [`PodmanArgs=--memory=${memoryMaxBytes}b`]),
    "DropCapability=all",
    "NoNewPrivileges=true",
    `HealthCmd=${healthCommand(plan).join(" ")}`,
    "HealthInterval=30s",
    "HealthTimeout=10s",
    `HealthStartPeriod=${plan.startSeconds}s`,
    `PodmanArgs=--stop-timeout=${plan.stopSeconds}`,
    "",
    "[Service]",
    "Restart=on-failure",
    "RestartSec=2",
    // 78: lock, port, configuration. Restarting does not help and would loop.
    `RestartPreventExitStatus=${PERMANENT_EXIT_STATUS}`,
    `TimeoutStartSec=${plan.startSeconds}`,
    `TimeoutStopSec=${plan.stopSeconds + SYSTEMD_GRACE_S}`,
    "",
    "[Install]",
    "WantedBy=default.target",
    "",
  ].join("\n");
}

/** Escapes what systemd would expand; the generator passes values on to ExecStart=. */
function plain(text: string): string {
  return text.replaceAll("%", "%%").replaceAll("$", "$$$$");
}
