/** `service`: units of service managers for profiles: prints, installs, uninstalls and checks them. */
import { LockkeeperError } from "@lockkeeper/core";
import type { InstallResult, Profiles, ServiceStatus, UninstallResult, UnitOptions } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Failure, Result } from "../command-module.ts";
import type { Context } from "../context.ts";
import { chooseTargets } from "../targets.ts";
import { plainLine, plainText } from "../terminal/plain-text.ts";
import type { Column } from "../terminal/table.ts";
import { renderTable } from "../terminal/table.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["service"]>;

type Answer =
  | { readonly action: "print" | "install"; readonly results: readonly InstallResult[] }
  | { readonly action: "uninstall"; readonly results: readonly UninstallResult[] }
  | { readonly action: "status"; readonly results: readonly ServiceStatus[] };

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const names = await chooseNames(context, profiles, given);
  const failures: Failure[] = [];
  const each = async <T>(act: (name: string) => Promise<T>): Promise<readonly T[]> => {
    const results: T[] = [];
    // One after the other, because each asks the manager to reload its units.
    for (const name of names) {
      try {
        results.push(await act(name));
      } catch (error) {
        failures.push({ name: names.length > 1 ? name : null, error });
      }
    }
    context.progress.finish();
    return results;
  };
  switch (given.action) {
    case "status": {
      const results = await profiles.serviceStatuses(names);
      return { value: { action: "status", results } satisfies Answer, status: results.some(isAmiss) ? 1 : 0 };
    }
    case "uninstall": {
      const { stop: signal } = context.world.interruption();
      const results = await each((name) =>
        profiles.uninstallService(name, { signal, onProgress: (text) => context.progress.update(name, text) }),
      );
      return { value: { action: "uninstall", results } satisfies Answer, failures };
    }
    default: {
      const isPrint = given.action === "print";
      const { stop: signal } = context.world.interruption();
      const results = await each((name) =>
        profiles.installService(name, {
          ...unitOptions(given),
          dryRun: isPrint || given.dryRun,
          overwrite: given.yes,
          signal,
          onProgress: (text) => context.progress.update(name, text),
        }),
      );
      const action = isPrint ? "print" : "install";
      const notes = isPrint
        ? []
        : results.flatMap(({ profile, notes: facts }) => facts.map((fact) => `${profile}: ${fact}`));
      return { value: { action, results } satisfies Answer, failures, notes };
    }
  }
}

export function render(answer: Answer, view: View): string {
  switch (answer.action) {
    case "print":
      return answer.results.map(({ text }) => text).join("\n");
    case "install":
      return answer.results.map((result) => renderInstall(result, view)).join("");
    case "uninstall":
      return answer.results
        .map(({ outcome, profile, unit }) =>
          outcome === "uninstalled"
            ? `${profile}: ${unit} is gone; lockkeeper start ${profile} runs it without a manager\n`
            : `${profile}: no unit of Lockkeeper starts it\n`,
        )
        .join("");
    case "status":
      return renderStatus(answer.results, view);
  }
}

async function chooseNames(context: Context, profiles: Profiles, given: Arguments): Promise<readonly string[]> {
  const { action, names, all, confirm } = given;
  if (action === "status" && names.length === 0) {
    return (await profiles.list({ probe: false })).map(({ name }) => name);
  }
  const { names: chosen } = await chooseTargets(context, profiles, { names, all, confirm });
  if (action !== "uninstall") return chosen;
  // It stops a running gateway, so a protected profile must be confirmed by name.
  for (const name of chosen) {
    if (confirm.includes(name) || (await profiles.protection(name)) === "open") continue;
    throw new LockkeeperError("CONFIRMATION_NEEDED", `${name} is protected: nothing was done`, {
      hint: `If you mean it: lockkeeper service uninstall ${name} --confirm ${name}`,
    });
  }
  return chosen;
}

function unitOptions({ manager, system, harden, watchdog, boot }: Arguments): UnitOptions {
  return {
    manager,
    // Not given: as it was installed.
    ...(system ? { system } : {}),
    ...(harden ? { harden } : {}),
    watchdogMs: watchdog,
    boot,
  };
}

function renderInstall({ outcome, profile, unit, path, text, boot, handedOver }: InstallResult, view: View): string {
  if (view.quiet) return `${profile}\n`;
  const { paint } = view;
  const comes = boot === "auto" ? "comes up by itself" : "is started by hand";
  switch (outcome) {
    case "would-install":
      return `${paint.dim(`# would be written to ${plainLine(path)}, nothing was changed`)}\n${plainText(text)}`;
    case "already-installed":
      return `${paint.bold(profile)}: ${unit} is installed already, and ${comes}\n`;
    case "installed": {
      const next = handedOver ? "it runs under it now" : `start it with: lockkeeper start ${profile}`;
      return `${paint.bold(profile)}: ${unit} installed (${plainLine(path)}), ${comes}; ${next}\n`;
    }
  }
}

function isAmiss({ installed, file, active }: ServiceStatus): boolean {
  return (
    installed === "yes" && (file === "absent" || file === "foreign" || file === "unreadable" || active === "failed")
  );
}

function renderStatus(results: readonly ServiceStatus[], { paint, columns: width, quiet }: View): string {
  const installed = results.filter(({ installed: word }) => word === "yes");
  if (quiet) return installed.map(({ profile }) => `${profile}\n`).join("");
  if (installed.length === 0)
    return "No profile is under a service manager. Put one there: lockkeeper service install NAME\n";
  const columns: readonly Column[] = [
    { title: "NAME", expendable: 0 },
    { title: "UNIT", expendable: 1 },
    {
      title: "ACTIVE",
      expendable: 0,
      paint: (text, row) => (installed[row]?.active === "failed" ? paint.red : String)(text),
    },
    { title: "BOOT", expendable: 3 },
    {
      title: "FILE",
      expendable: 0,
      paint: (text, row) => (installed[row]?.file === "same" ? String : paint.yellow)(text),
    },
    { title: "RESTARTS", expendable: 4, align: "right" },
  ];
  const rows = installed.map(({ profile, unit, active, boot, file, restarts }) => [
    profile,
    unit ?? "-",
    active ?? "unknown",
    boot ?? "-",
    file ?? "-",
    restarts === null ? "-" : String(restarts),
  ]);
  const facts = installed.flatMap(({ profile, file, drift, dropIns, path }) => [
    ...(file === "absent"
      ? [`${profile}: ${plainLine(path ?? "")} is gone: lockkeeper service install ${profile}`]
      : []),
    ...(file === "older"
      ? [`${profile}: an install would write this instead: lockkeeper service install ${profile}`]
      : []),
    ...(file === "edited" ? [`${profile}: edited by hand; what an install would change:`] : []),
    ...(file === "foreign" ? [`${profile}: ${plainLine(path ?? "")} is not a unit of Lockkeeper`] : []),
    ...(file === "unreadable" ? [`${profile}: ${plainLine(path ?? "")} cannot be read`] : []),
    ...drift.map((line) => `  ${plainLine(line)}`),
    ...dropIns.map((dropIn) => `${profile}: with your own ${plainLine(dropIn)}`),
  ]);
  return `${renderTable(columns, rows, width, paint.dim)}${facts.map((fact) => `${fact}\n`).join("")}`;
}
