/**
 * The config of a clone whose gateway only Lockkeeper runs: the original's config with the clone's paths and without secrets.
 * A config that cannot be parsed may hold secrets and is not copied.
 */
import { readIfPresentSync } from "@lockkeeper/core/internal";
import type { OwnConfig } from "../foreign-program.ts";
import type { Manifest } from "../manifest.ts";
import { moveFolderInText } from "../registry/follow-rename.ts";
import { withoutSecrets } from "../secrets.ts";

/** Returns the clone's version of the config. `keepSecrets`: the user asked for them. */
export async function cloneConfig(original: Manifest, clone: Manifest, keepSecrets: boolean): Promise<OwnConfig> {
  const text = readIfPresentSync(original.paths.config);
  if (text === undefined) return { text: null, dropped: [] };
  const { default: json5 } = await import("json5");
  let document: unknown;
  try {
    document = json5.parse(moveFolderInText(text, original.paths.profile, clone.paths.profile));
  } catch {
    return { text: null, dropped: ["(it cannot be understood, so it may hold secrets)"] };
  }
  const { clean, dropped } = keepSecrets ? { clean: document, dropped: [] } : withoutSecrets(document);
  return { text: `${JSON.stringify(clean, null, 2)}\n`, dropped };
}
