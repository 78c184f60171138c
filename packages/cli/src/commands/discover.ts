/** `discover`: every gateway on this host, what overlaps, and the commands that adopt. Writes nothing, needs no home. */
import type { DiscoveredGateway, Discovery, Manager, ServiceUnit } from "@lockkeeper/profiles";
import type { Result } from "../command-module.ts";
import type { Context } from "../context.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { renderTable } from "../terminal/table.ts";
import type { Column } from "../terminal/table.ts";
import type { View } from "../terminal/view.ts";

/** A unit without its command and variables: they may hold secrets, and a script finds them in the file. */
export type ShownManager =
  | Exclude<Manager, { readonly kind: "unit" }>
  | { readonly kind: "unit"; readonly unit: Pick<ServiceUnit, "manager" | "name" | "path"> };

/** A gateway as it is printed: of a unit, only what names it. */
export interface ShownGateway extends Omit<DiscoveredGateway, "managers"> {
  readonly managers: readonly ShownManager[];
}

/** The result of the command. */
export interface ShownDiscovery extends Omit<Discovery, "gateways"> {
  readonly gateways: readonly ShownGateway[];
}

export async function run(context: Context): Promise<Result> {
  const profiles = await context.openProfiles();
  const { stop: signal } = context.world.interruption();
  const found = await profiles.discover({ signal });
  const value: ShownDiscovery = {
    ...found,
    gateways: found.gateways.map((gateway) => ({ ...gateway, managers: gateway.managers.map(withoutContents) })),
  };
  const notes = found.gateways.length === 0 ? [`No gateway found. Looked at: ${found.looked.join(", ")}`] : [];
  if (found.listeners === "unknown")
    notes.push("This host does not show who listens: what runs may be more than this.");
  return { value, notes };
}

export function render({ gateways, faults, adopt }: ShownDiscovery, { paint, columns: width, quiet }: View): string {
  if (quiet) return gateways.map(({ name }) => `${plainLine(name)}\n`).join("");
  const columns: readonly Column[] = [
    { title: "NAME", expendable: 0, cuts: [{ rank: 2.5, to: 16 }] },
    { title: "PROGRAM", expendable: 3 },
    { title: "PORT", expendable: 0, align: "right" },
    { title: "READ FROM", expendable: 4 },
    { title: "ANSWERS", expendable: 1 },
    { title: "PID", expendable: 2, align: "right" },
    { title: "USER", expendable: 5 },
    {
      title: "RUN BY",
      expendable: 1,
      cuts: [
        { rank: 6, to: 20 },
        { rank: 2.5, to: 10 },
      ],
    },
  ];
  const rows = gateways.map((gateway) => [
    plainLine(gateway.name),
    gateway.program,
    String(gateway.port ?? "-"),
    gateway.portSource ?? "-",
    gateway.listening.length === 0 ? "no listener" : gateway.health,
    gateway.owner === null ? hidden(gateway) : String(gateway.owner.pid),
    gateway.owner === null ? "-" : plainLine(gateway.owner.user),
    gateway.managers.map(describeManager).join(" and ") || plainLine(gateway.owner?.command ?? "-"),
  ]);
  const table = rows.length === 0 ? "" : renderTable(columns, rows, width, paint.dim);
  const lines = [
    ...faults.map((fault) => `${paint.red("fault:")} ${plainLine(fault)}`),
    // Both sides of an overlap report it in the same words.
    ...new Set(gateways.flatMap((gateway) => remarks(gateway, paint))),
    ...(adopt.length === 0 ? [] : ["to adopt:", ...adopt.map((line) => `  ${paint.cyan(plainLine(line))}`)]),
  ];
  return `${table}${lines.map((line) => `${line}\n`).join("")}`;
}

function remarks({ name, managers, overlaps, notes }: ShownGateway, paint: View["paint"]): readonly string[] {
  const duel = managers.length > 1 && managers.filter(({ kind }) => kind !== "profile").length > 1;
  return [
    ...overlaps.map(({ kind, with: other, what }) => {
      const both = [name, other].sort().map(plainLine).join(" and ");
      return `${paint.red("overlap:")} ${both}: ${kind} ${plainLine(what)}`;
    }),
    ...(duel
      ? [`${paint.red("duel:")} ${plainLine(name)} is started by ${managers.map(describeManager).join(" and ")}`]
      : []),
    ...notes.map((note) => `${paint.yellow("note:")} ${plainLine(name)}: ${plainLine(note)}`),
  ];
}

function hidden({ listening }: ShownGateway): string {
  return listening.length === 0 ? "-" : "not visible";
}

function describeManager(manager: ShownManager): string {
  if (manager.kind === "profile") return `profile ${manager.name}`;
  return manager.kind === "unit" ? plainLine(manager.unit.name) : plainLine(manager.path);
}

function withoutContents(manager: Manager): ShownManager {
  if (manager.kind !== "unit") return manager;
  const { manager: by, name, path } = manager.unit;
  return { kind: "unit", unit: { manager: by, name, path } };
}
