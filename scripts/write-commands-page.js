/** Writes docs/commands.md: every help text, by chapters, as `lockkeeper help <command>` shows it. Needs a build; a test holds it fresh. */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { commandsPage } = createRequire(import.meta.url)(path.join(root, "packages/cli/build/help/help-writer.cjs"));
const file = path.join(root, "docs/commands.md");
const page = commandsPage();
if (readFileSync(file, { encoding: "utf8", flag: "a+" }) !== page) writeFileSync(file, page);
