/**
 * Fills `{port}`, `{port+N}`, `{host}`, `{stateDir}`, `{configPath}`, `{workspace}` and `{name}` into one argument.
 * `{{` and `}}` are braces. Pure. An argument stays one argument whatever is filled in: no shell takes part.
 */
import { LockkeeperError } from "@lockkeeper/core";

/** What the placeholders stand for. */
export interface TemplateValues {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly span: number;
  readonly stateDir: string;
  readonly configPath: string;
  readonly workspace: string;
}

/** A lone brace is caught as well: it would be a typing error that nobody notices. */
const placeholder = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;

const known = "Known: {port} {port+N} {host} {stateDir} {configPath} {workspace} {name}; write {{ or }} for a brace.";

/**
 * Returns `text` with every placeholder filled in.
 *
 * @throws {LockkeeperError} OPTION_INVALID when a placeholder is unknown, a brace stands alone, or `{port+N}` lies
 *   outside the block.
 */
export function fillTemplate(text: string, values: TemplateValues): string {
  return text.replace(placeholder, (whole, key: string | undefined) => {
    if (key !== undefined) return valueOf(key, text, values);
    if (whole.length === 2) return whole.charAt(0);
    throw invalid(`a single ${whole}`, text, known);
  });
}

function valueOf(key: string, text: string, values: TemplateValues): string {
  switch (key) {
    case "name":
    case "host":
    case "stateDir":
    case "configPath":
    case "workspace":
      return values[key];
    case "port":
      return String(values.port);
  }
  const offset = /^port\+(\d{1,5})$/.exec(key)?.[1];
  if (offset === undefined) throw invalid(`unknown placeholder {${key}}`, text, known);
  if (Number(offset) < values.span) return String(values.port + Number(offset));
  const outside = `{${key}} lies outside the block of ${values.span} ports`;
  throw invalid(outside, text, `N is at most ${values.span - 1}; --span widens the block.`);
}

function invalid(problem: string, text: string, hint: string): LockkeeperError {
  return new LockkeeperError("OPTION_INVALID", `${problem} in the argument ${JSON.stringify(text)}`, { hint });
}
