/** Makes every help text, for the build to store beside the bundle, and the page of the documentation that holds them all. */
import type { CommandSpec } from "./command-line/command.ts";
import { COMMANDS, GROUPS } from "./command-line/commands.ts";
import { commandHelp, programHelp } from "./command-line/help-text.ts";

/** Returns the help of each command by name, that of the program under "". */
export function allHelp(): Readonly<Record<string, string>> {
  const texts: Record<string, string> = { "": programHelp(COMMANDS) };
  for (const [name, spec] of Object.entries(COMMANDS)) texts[name] = commandHelp(name, spec);
  return texts;
}

/** Returns the page docs/commands.md. Made by `node scripts/write-commands-page.js`. */
export function commandsPage(): string {
  const specs = Object.entries<CommandSpec>(COMMANDS);
  const chapters = Object.entries(GROUPS).map(([group, title]) => {
    const members = specs.filter(([, spec]) => spec.group === group);
    const texts = members.map(([name, spec]) => `### ${name}\n\n\`\`\`text\n${commandHelp(name, spec)}\`\`\`\n`);
    return `## ${title}\n\n${texts.join("\n")}`;
  });
  return `# Every command\n\n${PAGE_INTRODUCTION}\n\n${chapters.join("\n")}`;
}

const PAGE_INTRODUCTION = `The output of \`lockkeeper help <command>\` for every command, on one page. The program's own descriptions make this page.
Exit statuses, JSON and the rules for all commands are in [the command line](cli.md).`;
