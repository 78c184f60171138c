/**
 * Checks for gateways that are reachable from more places than their profile says, and for a config that names another port
 * than the profile.
 */
import { findHolders, isWildcardHost, readListeners } from "@lockkeeper/core/internal";
import { kinds } from "../kinds/kinds.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";
import type { Finding, Scene } from "./finding.ts";

/** Finds gateways that listen more widely than planned, and ports that a config was given later. */
export async function checkReach({ patients }: Scene): Promise<readonly Finding[]> {
  const living = patients.filter(({ observed }) => observed.gateway !== null);
  const wide = living.length === 0 ? [] : ofListeners(living);
  const ported = await Promise.all(patients.map(ofPort));
  return [...wide, ...ported.flatMap((finding) => finding ?? [])];
}

function ofListeners(living: readonly ProfileObservation[]): readonly Finding[] {
  const listeners = readListeners();
  if (listeners === "unknown") return [];
  const holders = findHolders(listeners);
  return living.flatMap(({ manifest: { name, host }, observed }) => {
    if (isWildcardHost(host)) return [];
    const own = listeners.filter((listener) => holders.get(listener)?.pid === observed.gateway?.pid);
    const wider = own.filter(({ address }) => isWildcardHost(address));
    if (wider.length === 0) return [];
    const finding: Finding = {
      weight: "error",
      code: "listens-wider",
      title: `${name} listens on every address of this machine, and its profile says ${host}`,
      evidence: wider.map(({ address, port }) => `${address} port ${port}`),
      command: `lockkeeper stop ${name}`,
    };
    return [finding];
  });
}

async function ofPort({ manifest }: ProfileObservation): Promise<Finding | undefined> {
  const { name, kind, port, paths } = manifest;
  const config = await (await kinds[kind].foreign?.())?.readConfig(manifest);
  if (config === undefined || config.port === null || config.port === port) return undefined;
  return {
    weight: "warning",
    code: "config-port-ignored",
    title: `the config of ${name} says port ${config.port}, and the profile says ${port}, which counts`,
    evidence: [paths.config, `either change the profile, as below, or put ${port} into the config`],
    command: `lockkeeper edit ${name} --port ${config.port}`,
  };
}
