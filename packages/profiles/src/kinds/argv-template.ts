/**
 * Fills `{port}`, `{port+N}`, `{host}`, `{stateDir}`, `{configPath}`, `{workspace}` and `{name}` into one argument.
 * `{{` and `}}` are braces. Pure. An argument stays one argument whatever is filled in: no shell takes part.
 */
import { LockkeeperError } from "@lockkeeper/core";

export interface TemplateValues {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly span: number;
  readonly stateDir: string;
  readonly configPath: string;
  readonly workspace: string;
}

const placeholder = /\{\{|\}\}|\{([^{}]*)\}/g;

/**
 * Returns `text` with every placeholder filled in.
 *
 * @throws {LockkeeperError} OPTION_INVALID when a placeholder is unknown, or `{port+N}` lies outside the block.
 */
export function fillTemplate(text: string, values: TemplateValues): string {
  return text.replace(placeholder, (whole, key: string | undefined) => {
    if (key === undefined) return whole.charAt(0);
    return valueOf(key, text, values);
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
    default: {
      const offset = /^port\+(\d{1,5})$/.exec(key)?.[1];
      if (offset !== undefined && Number(offset) < values.span) return String(values.port + Number(offset));
      throw new LockkeeperError(
        "OPTION_INVALID",
        `unknown placeholder {${key}} in the argument ${JSON.stringify(text)}`,
        {
          hint:
            offset === undefined
              ? "Known: {port} {port+N} {host} {stateDir} {configPath} {workspace} {name}; write {{ for a brace."
              : `The block has ${values.span} ports: N is at most ${values.span - 1}; --span widens it.`,
        },
      );
    }
  }
}
