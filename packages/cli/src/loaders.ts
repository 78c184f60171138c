/** The one line from each command's name to the file that runs it. A command loads its file, and nothing else, when it is called. */
import type { CommandName } from "./command-line/commands.ts";
import type { CommandModule } from "./command-module.ts";

/**
 * Loads the file of `command`, which must be a described one. A table of functions would be made at each start of the
 * program.
 */
export function loadCommand(command: string): Promise<CommandModule> {
  switch (command as CommandName) {
    case "up":
      return import("./commands/up.ts");
    case "down":
      return import("./commands/down.ts");
    case "create":
      return import("./commands/create.ts");
    case "edit":
      return import("./commands/edit.ts");
    case "protect":
      return import("./commands/protect.ts");
    case "unprotect":
      return import("./commands/unprotect.ts");
    case "list":
      return import("./commands/list.ts");
    case "top":
      return import("./commands/top.ts");
    case "status":
      return import("./commands/status.ts");
    case "start":
      return import("./commands/start.ts");
    case "stop":
      return import("./commands/stop.ts");
    case "restart":
      return import("./commands/restart.ts");
    case "run":
      return import("./commands/run.ts");
    case "service":
      return import("./commands/service.ts");
    case "hooks":
      return import("./commands/hooks.ts");
    case "wait":
      return import("./commands/wait.ts");
    case "plan":
      return import("./commands/plan.ts");
    case "apply":
      return import("./commands/apply.ts");
    case "export":
      return import("./commands/export.ts");
    case "url":
      return import("./commands/url.ts");
    case "open":
      return import("./commands/open.ts");
    case "port":
      return import("./commands/port.ts");
    case "prompt":
      return import("./commands/prompt.ts");
    case "ports":
      return import("./commands/ports.ts");
    case "doctor":
      return import("./commands/doctor.ts");
    case "discover":
      return import("./commands/discover.ts");
    case "logs":
      return import("./commands/logs.ts");
    case "why":
      return import("./commands/why.ts");
    case "use":
      return import("./commands/use.ts");
    case "current":
      return import("./commands/current.ts");
    case "env":
      return import("./commands/env.ts");
    case "exec":
      return import("./commands/exec.ts");
    case "shell":
      return import("./commands/shell.ts");
    case "token":
      return import("./commands/token.ts");
    case "rename":
      return import("./commands/rename.ts");
    case "clone":
      return import("./commands/clone.ts");
    case "restore":
      return import("./commands/restore.ts");
    case "remove":
      return import("./commands/remove.ts");
    case "trash":
      return import("./commands/trash.ts");
    case "import":
      return import("./commands/import.ts");
    case "takeover":
      return import("./commands/takeover.ts");
    case "config":
      return import("./commands/config.ts");
    case "completion":
      return import("./commands/completion.ts");
    case "version":
      return import("./commands/version.ts");
  }
}
