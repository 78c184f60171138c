/**
 * Fills `{port}`, `{port+N}`, `{host}`, `{stateDir}`, `{configPath}`, `{workspace}` and `{name}` into one argument or one
 * variable. In an argument `{{` and `}}` are braces, and any other brace is an error; values of variables often contain other
 * braces (JSON, templates), so there all other braces stay. Pure. No shell is involved.
 */
import { LockkeeperError } from "@lockkeeper/core";
import type { Manifest } from "../manifest.ts";

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

/** Returns the values of the placeholders in a run whose base port is `port`. */
export function templateValues({ name, host, span, paths }: Manifest, port: number): TemplateValues {
  const { state: stateDir, config: configPath, workspace } = paths;
  return { name, host, port, span, stateDir, configPath, workspace };
}

/** A lone brace is an error as well: it would be a typing mistake that nobody notices. */
const PLACEHOLDER = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;

const KNOWN = "Known: {port} {port+N} {host} {stateDir} {configPath} {workspace} {name}; write {{ or }} for a brace.";

/**
 * Returns `text` with every placeholder filled in.
 *
 * @throws {LockkeeperError} OPTION_INVALID when a placeholder is unknown, a brace stands alone, or `{port+N}` lies
 *   outside the block.
 */
export function fillTemplate(text: string, values: TemplateValues): string {
  return text.replace(PLACEHOLDER, (whole, key: string | undefined) => {
    if (key !== undefined) return valueOf(key, text, values);
    if (whole.length === 2) return whole.charAt(0);
    throw invalid(`a single ${whole}`, text, KNOWN);
  });
}

/** `{{`, `}}` and braces after a `$` are no placeholders: they belong to another template language. */
const IN_VARIABLE = /\{\{|\}\}|\$\{|\{([A-Za-z]+|port\+\d{1,5})\}/g;

/** Returns `text` with the known placeholders filled in, and everything else as it is. */
export function fillVariable(text: string, values: TemplateValues): string {
  return text.replace(IN_VARIABLE, (whole, key = "") => lookUp(key, values) ?? whole);
}

/**
 * Returns when `text`, the value of `variable`, has no placeholder that would stay unfilled.
 *
 * @throws {LockkeeperError} OPTION_INVALID naming the placeholder; the value may be a secret and is not shown.
 */
export function checkPlaceholders(variable: string, text: string, values: TemplateValues): void {
  for (const [whole, key] of text.matchAll(IN_VARIABLE)) {
    if (key === undefined || lookUp(key, values) !== undefined) continue;
    const outside = key.startsWith("port+");
    const fault = outside ? `lies outside the block of ${values.span} ports` : "is no placeholder";
    throw new LockkeeperError("OPTION_INVALID", `${whole} in the value of --env ${variable} ${fault}`, {
      hint: outside ? outsideHint(values) : KNOWN,
    });
  }
}

function valueOf(key: string, text: string, values: TemplateValues): string {
  const value = lookUp(key, values);
  if (value !== undefined) return value;
  if (!/^port\+\d{1,5}$/.test(key)) throw invalid(`unknown placeholder {${key}}`, text, KNOWN);
  throw invalid(`{${key}} lies outside the block of ${values.span} ports`, text, outsideHint(values));
}

function lookUp(key: string, values: TemplateValues): string | undefined {
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
  return offset === undefined || Number(offset) >= values.span ? undefined : String(values.port + Number(offset));
}

function outsideHint({ span }: TemplateValues): string {
  return `N is at most ${span - 1}; --span widens the block.`;
}

function invalid(problem: string, text: string, hint: string): LockkeeperError {
  return new LockkeeperError("OPTION_INVALID", `${problem} in the argument ${JSON.stringify(text)}`, { hint });
}
