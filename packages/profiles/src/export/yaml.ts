/**
 * Writes YAML: blocks of maps and lists, and text that every reader of YAML 1.1 and 1.2 reads as text. A value that is not
 * plainly a word or a path is written as a JSON string, which is YAML as well. Pure.
 */

/** A value to write. An undefined member of a map is omitted. */
export type Yaml = string | number | boolean | null | readonly Yaml[] | { readonly [name: string]: Yaml | undefined };

/**
 * Words that some reader does not read as text. Source: yaml.org/type (YAML 1.1: bool, null), and a reader that takes `e9`
 * for a number.
 */
const NO_TEXT = /^(?:y|n|yes|no|on|off|true|false|null|none|nan|inf|e[-+]?\d+)$/i;
const PLAIN = /^[A-Za-z/][A-Za-z0-9_./-]*$/;
/** JSON leaves these characters raw; YAML needs them escaped. Source: YAML 1.2.2, production 1 (c-printable) and line breaks. */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** Returns `value` as one document, with a line end. */
export function formatYaml(value: Yaml): string {
  return `${lines(value).join("\n")}\n`;
}

function lines(value: Yaml): readonly string[] {
  if (Array.isArray(value)) {
    const items: readonly Yaml[] = value;
    return items.flatMap((item) => {
      const [first = "", ...rest] = isScalar(item) ? [scalar(item)] : lines(item);
      return [`- ${first}`, ...rest.map((line) => `  ${line}`)];
    });
  }
  return Object.entries(value as Readonly<Record<string, Yaml | undefined>>).flatMap(([name, member]) => {
    if (member === undefined) return [];
    if (isScalar(member)) return [`${scalar(name)}: ${scalar(member)}`];
    return [`${scalar(name)}:`, ...lines(member).map((line) => `  ${line}`)];
  });
}

/** An empty list or map has no block form. */
function isScalar(value: Yaml): boolean {
  return typeof value !== "object" || value === null || Object.keys(value).length === 0;
}

function scalar(value: Yaml): string {
  if (typeof value === "string") return PLAIN.test(value) && !NO_TEXT.test(value) ? value : quoted(value);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "[]" : "{}";
  return String(value);
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
