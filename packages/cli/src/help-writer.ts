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

const PAGE_INTRODUCTION = `What \`lockkeeper help <command>\` shows, on one page. It is made from the program's own description of its commands, so
it cannot say anything else. Exit statuses, JSON and the rules that hold for all commands are in [the command line](cli.md).`;
