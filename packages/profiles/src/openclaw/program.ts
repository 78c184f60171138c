/** The answers that only OpenClaw has, collected behind its door. */
import path from "node:path";
import type { ForeignProgram } from "../foreign-program.ts";
import { gatewayAccess } from "./access.ts";
import { adoptedParts } from "./adoption.ts";
import { extraRanges } from "./claims.ts";
import { checkConfig } from "./config-check.ts";
import { readConfigFile } from "./config-file.ts";
import { ownEnvFileNames } from "./gateway-port.ts";
import { findInstallations, hostOf, placesOf } from "./installations.ts";
import { ownConfig } from "./own-config.ts";
import { isOwnMark, relaunch } from "./relaunch.ts";

/** OpenClaw, as seen by the rooms that adopt, clone and diagnose. */
export const openClawProgram: ForeignProgram = {
  title: "OpenClaw",
  places: ({ userHome }) => [path.join(userHome, ".openclaw"), path.join(userHome, ".openclaw-*")],
  findInstallations,
  placesOf,
  adopt: async (installation, ourHome) =>
    adoptedParts(installation, await readConfigFile(installation.configPath), ourHome),
  readConfig: async ({ paths, command = [] }) => {
    const config = await readConfigFile(paths.config);
    const { document, fault, verdict, port, parts } = config;
    return {
      document,
      fault: verdict === "absent" ? "there is none" : fault,
      port,
      host: hostOf(config, [command]),
      parts,
      extraRanges: extraRanges(document),
    };
  },
  checkConfig,
  cloneConfig: ownConfig,
  relaunch,
  needsNot: ({ paths }, variable) => isOwnMark(variable) || ownEnvFileNames(paths.state).includes(variable),
  access: gatewayAccess,
};
