/**
 * Runs every check of `doctor` over one home; the most serious finding comes first. Changes nothing: a fault that can be
 * mended without losing anything carries a repair, which the caller shows and then applies.
 */
import { LockkeeperError } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import { requireSafeHome } from "../home.ts";
import { HostFacts } from "../run/host-facts.ts";
import { lookAtHostRoots } from "../service-units/host-roots.ts";
import type { Manifest } from "../manifest.ts";
import { observeAll } from "../status/observe-all.ts";
import { readRegistry } from "../registry/registry.ts";
import { checkClock } from "./clock.ts";
import { checkConfigPort } from "./config-port.ts";
import { checkDirectories } from "./directories.ts";
import { checkFileSystems } from "./file-systems.ts";
import { adviceOf } from "./finding.ts";
import type { Check, Finding, Scene, Weight } from "./finding.ts";
import { checkHomeAccess } from "./home-access.ts";
import { checkInstalled } from "./installed.ts";
import { checkInterrupted } from "./interrupted.ts";
import { checkLeases } from "./leases.ts";
import { checkLimits } from "./limits.ts";
import { checkModes } from "./modes.ts";
import { checkNextStart } from "./next-start.ts";
import { checkNode } from "./node-version.ts";
import { checkPorts } from "./ports.ts";
import { checkRuns } from "./runs.ts";
import { checkSecrets } from "./secrets.ts";
import { checkServices } from "./services.ts";
import { checkSettings } from "./settings.ts";

/** In the order in which findings of one weight are shown. */
const checks: readonly Check[] = [
  checkHomeAccess,
  checkSettings,
  checkInterrupted,
  checkRuns,
  checkConfigPort,
  checkNextStart,
  checkPorts,
  checkDirectories,
  checkServices,
  checkInstalled,
  // Reading a token tells its mode too.
  checkSecrets,
  checkModes,
  checkFileSystems,
  checkLeases,
  checkClock,
  checkLimits,
  checkNode,
];

const ORDER: Readonly<Record<Weight, number>> = { error: 0, warning: 1, unknown: 2 };

/** Returns the findings, most serious first; empty when all is well. Changes nothing. */
export async function diagnose(context: ProfilesContext): Promise<readonly Finding[]> {
  const { manifests, findings } = readManifests(context);
  const facts = new HostFacts();
  const patients = await observeAll(context, manifests, (lockDir) => facts.lockFiles(lockDir) === "some");
  const scene: Scene = { context, roots: lookAtHostRoots(context.env), patients, facts };
  const found: Finding[] = [...findings];
  for (const check of checks) found.push(...(await findingsOf(check, scene)));
  return found.sort((a, b) => ORDER[a.weight] - ORDER[b.weight]);
}

/**
 * What stops one check is a finding, and stops no other check: something is often damaged already when somebody asks the
 * doctor.
 */
async function findingsOf(check: Check, scene: Scene): Promise<readonly Finding[]> {
  try {
    return await check(scene);
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    const { message, evidence, hint } = error;
    return [{ weight: "unknown", code: "check-failed", title: message, evidence, ...adviceOf(hint) }];
  }
}

/** Returns the findings that remain after the repairs of `findings` were made, in order. Throws the error of a repair. */
export async function repair(context: ProfilesContext, findings: readonly Finding[]): Promise<readonly Finding[]> {
  // Repairs that close the home to others come first, because they are always safe; the others rely on the home's content.
  const closing = findings.filter(({ code }) => code === "mode-loose");
  for (const { fix } of closing) await fix?.apply();
  const others = findings.filter((finding) => finding.fix !== undefined && !closing.includes(finding));
  if (others.length > 0) requireSafeHome(context.home);
  for (const { fix } of others) await fix?.apply();
  return diagnose({ ...context, owner: "own" });
}

function readManifests({ home, owner }: ProfilesContext): {
  readonly manifests: readonly Manifest[];
  readonly findings: readonly Finding[];
} {
  try {
    return { manifests: [...readRegistry(home, owner).values()], findings: [] };
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    const finding: Finding = {
      weight: "error",
      code: error.code === "UNSAFE_PATH" ? "registry-unsafe" : "registry-damaged",
      title: error.message,
      evidence: [
        "running gateways go on, and can be stopped; profiles are not looked at one by one until it is mended",
      ],
      ...adviceOf(error.hint),
    };
    return { manifests: [], findings: [finding] };
  }
}
