/** `version`: prints the versions for a bug report. `--version` prints only the number. */
import type { Result } from "../command-module.ts";
import type { Context } from "../context.ts";
import type { View } from "../terminal/view.ts";
import { VERSION } from "../version.ts";

interface VersionFacts {
  readonly lockkeeper: string;
  readonly node: string;
  readonly platform: string;
}

export async function run({ world }: Context): Promise<Result> {
  const facts: VersionFacts = { lockkeeper: VERSION, ...world.runtime };
  return { value: facts };
}

export function render({ lockkeeper, node, platform }: VersionFacts, { quiet }: View): string {
  return quiet ? `${lockkeeper}\n` : `lockkeeper ${lockkeeper} (node ${node}, ${platform})\n`;
}
