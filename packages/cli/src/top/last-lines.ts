/** The last line of each log, read again only when its file has changed. */
import { statSync } from "node:fs";
import { readLastLines } from "@lockkeeper/core/internal";
import { gatewayLogPath } from "@lockkeeper/profiles";
import type { Profiles, ProfileStatus } from "@lockkeeper/profiles";

type Logged = Pick<ProfileStatus, "name" | "pid" | "paths">;

/** Remembers the last lines of the logs of running profiles. */
export class LastLines {
  readonly #profiles: Profiles;
  readonly #known = new Map<string, { readonly mark: string; readonly line: string }>();

  constructor(profiles: Profiles) {
    this.#profiles = profiles;
  }

  /** Whether a running profile has printed something since its line was read. */
  hasNews(statuses: readonly Logged[]): boolean {
    return statuses.some(({ name, pid, paths }) => pid !== null && this.#known.get(name)?.mark !== markOf(paths));
  }

  /** Returns the last line that the profile printed, safe to be shown; "" when it does not run. */
  async of({ name, pid, paths }: Logged): Promise<string> {
    if (pid === null) return "";
    const mark = markOf(paths);
    const known = this.#known.get(name);
    if (known?.mark === mark) return known.line;
    const lines = await readLastLines(gatewayLogPath(paths), 1).catch(() => []);
    const [line = ""] = await this.#profiles.shownOutput(name, lines).catch(() => []);
    this.#known.set(name, { mark, line });
    return line;
  }
}

function markOf(paths: ProfileStatus["paths"]): string {
  const stats = statSync(gatewayLogPath(paths), { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? "-" : `${stats.ino}.${stats.mtimeNs}.${stats.size}`;
}
