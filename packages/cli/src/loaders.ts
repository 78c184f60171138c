/** The one line from each command's name to the file that runs it. A command loads its file, and nothing else, when it is called. */
import type { CommandName } from "./command-line/commands.ts";
import type { CommandModule } from "./command-module.ts";

export type LoadCommand = () => Promise<CommandModule>;

export const LOADERS: Readonly<Record<CommandName, LoadCommand>> = {
  up: () => import("./commands/up.ts"),
  down: () => import("./commands/down.ts"),
  create: () => import("./commands/create.ts"),
  edit: () => import("./commands/edit.ts"),
  protect: () => import("./commands/protect.ts"),
  unprotect: () => import("./commands/unprotect.ts"),
  list: () => import("./commands/list.ts"),
  top: () => import("./commands/top.ts"),
  status: () => import("./commands/status.ts"),
  start: () => import("./commands/start.ts"),
  stop: () => import("./commands/stop.ts"),
  restart: () => import("./commands/restart.ts"),
  run: () => import("./commands/run.ts"),
  ports: () => import("./commands/ports.ts"),
  doctor: () => import("./commands/doctor.ts"),
  discover: () => import("./commands/discover.ts"),
  logs: () => import("./commands/logs.ts"),
  why: () => import("./commands/why.ts"),
  use: () => import("./commands/use.ts"),
  current: () => import("./commands/current.ts"),
  env: () => import("./commands/env.ts"),
  exec: () => import("./commands/exec.ts"),
  shell: () => import("./commands/shell.ts"),
  token: () => import("./commands/token.ts"),
  rename: () => import("./commands/rename.ts"),
  clone: () => import("./commands/clone.ts"),
  restore: () => import("./commands/restore.ts"),
  remove: () => import("./commands/remove.ts"),
  import: () => import("./commands/import.ts"),
  takeover: () => import("./commands/takeover.ts"),
  config: () => import("./commands/config.ts"),
  completion: () => import("./commands/completion.ts"),
  version: () => import("./commands/version.ts"),
};
