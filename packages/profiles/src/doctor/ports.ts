/** Checks for conflicts between the plans and the host, and for blocks in ranges where ports do not last. */
import { DEFAULT_HOST, LockkeeperError } from "@lockkeeper/core";
import { hostWithPort, isWildcardHost } from "@lockkeeper/core/internal";
import type { Manifest } from "../manifest.ts";
import { BROWSER_REFUSED_PORTS } from "../ports/browser-ports.ts";
import type { PortConflict } from "../ports/plan-conflicts.ts";
import { portsReport } from "../ports/port-audit.ts";
import type { BlockReport } from "../ports/port-audit.ts";
import { formatRange, overlaps } from "../ports/port-plan.ts";
import type { Finding, Scene } from "./finding.ts";

/** Finds ports with two claimants, and blocks in ranges where ports do not last. */
export async function checkPorts({ context: { home }, roots, patients }: Scene): Promise<readonly Finding[]> {
  if (patients.length === 0) return [];
  let report;
  try {
    report = await portsReport(home, undefined, { observed: patients, roots });
  } catch (error) {
    // Unreadable settings or a missing address are reported by their own checks.
    if (error instanceof LockkeeperError) return [];
    throw error;
  }
  const findings = report.conflicts.map(ofConflict);
  if (report.sockets === "unknown") {
    findings.push({
      weight: "unknown",
      code: "sockets-unknown",
      title: "this host does not show who listens on its ports",
      evidence: ["/proc/net/tcp is not readable, and lsof gave no answer"],
      command: null,
    });
  }
  const manifests = new Map<string, Manifest>(patients.map(({ manifest }) => [manifest.name, manifest]));
  for (const block of report.blocks) {
    const manifest = manifests.get(block.profile);
    if (manifest !== undefined) findings.push(...wideBinds(block, manifest));
  }
  for (const { profile, port, end } of report.blocks) {
    const block = { first: port, last: end };
    if (report.ephemeral.source === "read" && overlaps(report.ephemeral, block)) {
      findings.push({
        weight: "warning",
        code: "port-ephemeral",
        title: `the block of ${profile} lies where the system takes ports for outgoing connections`,
        evidence: [`block ${formatRange(block)}, ephemeral range ${formatRange(report.ephemeral)}`],
        command: `lockkeeper ports ${profile}`,
      });
    }
    if (BROWSER_REFUSED_PORTS.has(port)) {
      findings.push({
        weight: "warning",
        code: "port-refused-by-browsers",
        title: `no browser connects to port ${port} of ${profile}`,
        evidence: ["https://fetch.spec.whatwg.org/#port-blocking"],
        command: `lockkeeper ports ${profile}`,
      });
    }
  }
  if (report.nextFree === null) {
    findings.push({
      weight: "warning",
      code: "pool-exhausted",
      title: "the port pool has no free block left",
      evidence: [`pool ${formatRange(report.pool)}, ${report.blocks.length} profiles`],
      command: "lockkeeper config set poolLast 65535",
    });
  }
  return findings;
}

/**
 * Judged by its host and by its real listeners: a program may bind more than it was asked to, or a name may stand for all
 * addresses.
 */
function wideBinds({ profile, listeners }: BlockReport, { host, kind }: Manifest): readonly Finding[] {
  const wide = listeners.filter(({ verdict, address }) => verdict === "own" && isWildcardHost(address));
  if (wide.length === 0 && !isWildcardHost(host)) return [];
  const seen = wide.map(({ address, port }) => `listens on ${hostWithPort(address, port)}`);
  const title = `${profile} is set to listen on every address of this machine`;
  const evidence = [`host ${host}`, ...seen];
  if (isWildcardHost(host)) {
    const command = `lockkeeper edit ${profile} --host ${DEFAULT_HOST}`;
    return [{ weight: "warning", code: "wide-bind", title, evidence, command }];
  }
  const why =
    kind === "command" ? "its program uses neither HOST nor {host}" : "its own config, or its arguments, say so";
  return [
    {
      weight: "error",
      code: "wide-bind",
      title: `${profile} listens on every address of this machine, not on ${host} alone: ${why}`,
      evidence,
      command: `lockkeeper status ${profile}`,
    },
  ];
}

function ofConflict({ kind, port, profiles, owner }: PortConflict): Finding {
  const names = profiles.join(" and ");
  const title =
    kind === "overlap"
      ? `the blocks of ${names} overlap from port ${port} on`
      : kind === "openclaw"
        ? `${names} and an installation of another program both claim port ${port}`
        : kind === "reservation"
          ? `port ${port} of ${names} is kept for something else`
          : `port ${port} of ${names} is held by another process`;
  return {
    weight: "error",
    code: kind === "listener" ? "port-conflict" : "blocks-overlap",
    title,
    evidence: owner === null ? [] : [owner],
    command: `lockkeeper ports --explain ${port}`,
  };
}
