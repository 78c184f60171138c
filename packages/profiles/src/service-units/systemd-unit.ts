/**
 * The text of a systemd service for one profile. Pure. The reason for each line stands beside it; the rules of quoting are
 * those of systemd.syntax(7) and systemd.service(5).
 */
import { PERMANENT_EXIT_STATUS } from "@lockkeeper/core/internal";
import { createHash } from "node:crypto";
import type { UnitPlan } from "./unit-plan.ts";

/**
 * Increased when the text changes. `service status` compares the text itself, so the number only shows people how old a unit
 * is.
 */
const UNIT_VERSION = 1;

/** The first line of all our units. Its checksum covers the lines below it and shows whether they were edited. */
const MARK = /^# lockkeeper unit v(\d+) for profile (\S+), sum ([0-9a-f]{16}); /;

/** How long a start may take before the keeper asks for more time, up to the gateway's own deadline. */
const START_TIMEOUT_S = 60;

/** Sandboxing that Node tolerates and that needs only seccomp and prctl, so that a user's own manager can apply it. */
const HARDENING = [
  "NoNewPrivileges=yes",
  "RestrictSUIDSGID=yes",
  "LockPersonality=yes",
  "RestrictRealtime=yes",
  "SystemCallArchitectures=native",
];

/** Returns the unit's whole text. */
export function formatSystemdUnit(plan: UnitPlan, unit: string): string {
  const run = [...plan.launcher, "run", plan.profile, "--supervised"].map(quoteArgument).join(" ");
  const wait = [...plan.launcher, "wait", plan.profile, "--for", "running"].map(quoteArgument).join(" ");
  const lines = [
    "[Unit]",
    `Description=Lockkeeper gateway ${plan.profile}`,
    // The keeper gives up on a gateway that keeps failing; this limit is for a keeper that keeps failing.
    "StartLimitIntervalSec=300",
    "StartLimitBurst=5",
    "",
    "[Service]",
    ...(plan.notifies
      ? // The helper that reports readiness has a pid of its own, so every process of the unit must be accepted.
        ["Type=notify", "NotifyAccess=all"]
      : ["Type=exec", ...(plan.mayStandBy ? [] : [`ExecStartPost=${wait}`])]),
    `ExecStart=${run}`,
    `Environment=${quoteValue(`LOCKKEEPER_HOME=${plan.home}`)}`,
    ...(plan.user === undefined ? [] : [`User=${plan.user}`]),
    "Restart=on-failure",
    "RestartSec=2",
    // 78: lock, port, configuration. Restarting does not help and would loop.
    `RestartPreventExitStatus=${PERMANENT_EXIT_STATUS}`,
    // 143 is SIGTERM: a success when the manager sent it, a reason to restart when a stranger did.
    "SuccessExitStatus=143",
    "RestartForceExitStatus=143",
    `TimeoutStartSec=${START_TIMEOUT_S}`,
    `TimeoutStopSec=${Math.ceil(plan.stopTimeoutMs / 1_000)}`,
    // The keeper is asked first and ends the gateway in order; processes that survive it are killed with the unit.
    "KillMode=mixed",
    "OOMPolicy=continue",
    "UMask=0077",
    ...(plan.watchdogMs === undefined ? [] : [`WatchdogSec=${Math.ceil(plan.watchdogMs / 1_000)}`]),
    ...(plan.memoryMaxBytes === undefined ? [] : [`MemoryMax=${plan.memoryMaxBytes}`]),
    ...(plan.harden ? HARDENING : []),
    "",
    "[Install]",
    `WantedBy=${plan.user === undefined ? "default.target" : "multi-user.target"}`,
    "",
  ];
  const body = lines.join("\n");
  const edit = `systemctl ${plan.user === undefined ? "--user " : ""}edit ${unit}`;
  return `# lockkeeper unit v${UNIT_VERSION} for profile ${plan.profile}, sum ${sumOf(body)}; own changes: ${edit}\n${body}`;
}

/** The origin of a unit's text: not ours, ours as written, or ours and edited since. */
export function unitOrigin(text: string): "foreign" | "ours" | "edited" {
  const [first = "", ...rest] = text.split("\n");
  const mark = MARK.exec(first);
  if (mark === null) return "foreign";
  return mark[3] === sumOf(rest.join("\n")) ? "ours" : "edited";
}

/** Long enough to notice an edit; it is not a secret. */
function sumOf(body: string): string {
  return createHash("sha256").update(body).digest("hex").slice(0, 16);
}

/** One word of ExecStart=: quoted, with `%` and `$` doubled, which systemd would expand otherwise. */
function quoteArgument(word: string): string {
  return quoteValue(word).replaceAll("$", "$$$$");
}

/** A value in quotes. `$` means nothing in Environment=. */
function quoteValue(value: string): string {
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%").replaceAll("\n", "\\n")}"`;
}
