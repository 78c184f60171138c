/** Facts about the host for the checks of many profiles, each asked once. For one look: none is asked again. */
import type { LockkeeperError } from "@lockkeeper/core";
import { PathLook, faultOf, probeAddress } from "@lockkeeper/core/internal";
import type { PortProbe } from "@lockkeeper/core/internal";
import { buildChildEnvironment } from "../environment/child-environment.ts";
import { withoutProfile } from "../environment/gateway-environment.ts";
import { readUnprivilegedFrom } from "../ports/host-ports.ts";
import { readGatewaySettings } from "../settings/gateway-settings.ts";
import { seeLockFiles } from "../status/lock-files.ts";
import { findProgram } from "./find-program.ts";
import type { ProgramSearch } from "./find-program.ts";

/** Facts about the host, asked once. */
export class HostFacts {
  /** What is at paths. */
  readonly look: PathLook = new PathLook();
  readonly #addresses = new Map<string, PortProbe>();
  readonly #settings = new Map<string, LockkeeperError | undefined>();
  readonly #lockFiles = new Map<string, ReturnType<typeof seeLockFiles>>();
  #unprivilegedFrom: number | undefined;
  #shared: Readonly<Record<string, string>> | undefined;
  #inherited: NodeJS.ProcessEnv | undefined;
  #hasOwnProgram = false;

  /** Returns whether any port of `host` can be bound: at once, without a promise, when that is known from another profile. */
  bind(host: string): PortProbe | Promise<PortProbe> {
    return this.#addresses.get(host) ?? this.#askAddress(host);
  }

  async #askAddress(host: string): Promise<PortProbe> {
    const probe = await probeAddress(host);
    this.#addresses.set(host, probe);
    return probe;
  }

  /** Returns what a gateway may inherit of `env`. */
  inherited(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    return (this.#inherited ??= withoutProfile(env));
  }

  /** Returns the variables that every gateway gets of `env`. */
  shared(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
    return (this.#shared ??= buildChildEnvironment({ from: this.inherited(env), own: {}, pass: [] }));
  }

  /** Returns why the settings of the built-in gateway at that path cannot be read; undefined when they can. */
  settingsFault(path: string): LockkeeperError | undefined {
    // An open that fails takes Node longer than this look.
    if (this.look.isAbsent(path)) return undefined;
    if (!this.#settings.has(path))
      this.#settings.set(
        path,
        faultOf(() => readGatewaySettings(path)),
      );
    return this.#settings.get(path);
  }

  /** Returns whether the directory of locks has lock files. */
  lockFiles(lockDir: string): ReturnType<typeof seeLockFiles> {
    return this.#lockFiles.get(lockDir) ?? this.#seeLockFiles(lockDir);
  }

  #seeLockFiles(lockDir: string): ReturnType<typeof seeLockFiles> {
    const seen = seeLockFiles(lockDir);
    this.#lockFiles.set(lockDir, seen);
    return seen;
  }

  /** On return the program was found. Throws as {@link findProgram}. */
  requireProgram(program: string, search: ProgramSearch): void {
    // Every built-in gateway is run by the Node that runs this, and it is a binary wherever it is called from.
    if (program === process.execPath && this.#hasOwnProgram) return;
    findProgram(program, search);
    this.#hasOwnProgram ||= program === process.execPath;
  }

  /** The first port that needs no privilege. */
  get unprivilegedFrom(): number {
    return (this.#unprivilegedFrom ??= readUnprivilegedFrom());
  }
}
