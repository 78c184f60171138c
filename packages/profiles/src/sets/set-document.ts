/**
 * Parses the text of a set and keeps the place of every value, so that each fault has a line and column. Knows JSON with
 * comments and trailing commas, and the table of keys; other files interpret the values.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { didYouMean } from "@lockkeeper/core/internal";
import { parseTree, printParseErrorCode } from "jsonc-parser";
import type { Node, ParseError } from "jsonc-parser";
import { setKeys } from "./set-keys.ts";
import type { KeySchema, SetKey, ValueSchema } from "./set-keys.ts";

/** A place in a file, for messages. */
export interface SetPlace {
  readonly file: string;
  readonly text: string;
  readonly offset: number;
}

/** The given keys of one profile, each of the type in the table. */
export type SetValues = Readonly<Partial<Record<SetKey, unknown>>>;

/** One profile as written in the file. */
export interface SetEntry {
  readonly name: string;
  readonly values: SetValues;
  readonly place: SetPlace;
  /** The place of each key's value. */
  readonly places: ReadonlyMap<string, SetPlace>;
}

/**
 * Returns the profiles of the document, in order.
 *
 * @throws {LockkeeperError} CONFIG_DAMAGED with line and column: not JSON, an unknown key (with the nearest one), a repeated
 * key, a value of the wrong type.
 */
export function parseSet(file: string, text: string): readonly SetEntry[] {
  const root = parse(file, text);
  const at = (node: Node): SetPlace => ({ file, text, offset: node.offset });
  const top = properties(root, at, "the file");
  for (const [key, { name }] of top) {
    if (key !== "$schema" && key !== "profiles") throw unknownKey(key, ["$schema", "profiles"], at(name));
  }
  const schema = top.get("$schema")?.value;
  if (schema !== undefined) requireType(schema, { type: "string" }, "$schema", at(schema));
  const profiles = top.get("profiles");
  if (profiles === undefined) return [];
  return [...properties(profiles.value, at, "profiles")].map(([name, property]) => {
    const values: Partial<Record<SetKey, unknown>> = {};
    const places = new Map<string, SetPlace>();
    for (const [key, given] of properties(property.value, at, `profile ${name}`)) {
      if (!isSetKey(key)) throw unknownKey(key, Object.keys(setKeys), at(given.name));
      values[key] = readValue(given.value, setKeys[key], key, at);
      places.set(key, at(given.value));
    }
    return { name, values, place: at(property.name), places };
  });
}

/** Returns the error for a fault at a place in a set. */
export function setFault(place: SetPlace, fault: string, hint?: string): LockkeeperError {
  const before = place.text.slice(0, place.offset).split(/\r\n|\r|\n/);
  const column = (before.at(-1)?.length ?? 0) + 1;
  return new LockkeeperError("CONFIG_DAMAGED", `${place.file}:${before.length}:${column}: ${fault}`, { hint });
}

function parse(file: string, text: string): Node {
  const errors: ParseError[] = [];
  let root: Node | undefined;
  try {
    root = parseTree(text, errors, { allowTrailingComma: true });
  } catch (error) {
    // The depth is bounded, because the parser calls itself for each level.
    if (!(error instanceof RangeError)) throw error;
    throw setFault({ file, text, offset: 0 }, "nested too deeply");
  }
  const [first] = errors;
  if (first !== undefined) {
    const words = printParseErrorCode(first.error).replaceAll(/(?!^)([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
    throw setFault({ file, text, offset: first.offset }, `not JSON: ${words.charAt(0).toLowerCase()}${words.slice(1)}`);
  }
  if (root === undefined) throw setFault({ file, text, offset: 0 }, "not JSON: the file is empty");
  return root;
}

interface Property {
  readonly name: Node;
  readonly value: Node;
}

function properties(node: Node, at: (node: Node) => SetPlace, what: string): ReadonlyMap<string, Property> {
  if (node.type !== "object") throw setFault(at(node), `${what}: expected an object, got ${describe(node)}`);
  const found = new Map<string, Property>();
  for (const { children: [name, value] = [] } of node.children ?? []) {
    if (name === undefined || value === undefined) continue;
    const key = String(name.value);
    if (found.has(key)) throw setFault(at(name), `${what}: ${JSON.stringify(key)} stands there twice`);
    found.set(key, { name, value });
  }
  return found;
}

function isSetKey(key: string): key is SetKey {
  return Object.hasOwn(setKeys, key);
}

function unknownKey(key: string, known: readonly string[], place: SetPlace): LockkeeperError {
  return setFault(
    place,
    `unknown key ${JSON.stringify(key)}`,
    didYouMean(key, known) ?? `Known keys: ${known.join(", ")}.`,
  );
}

function readValue(node: Node, schema: KeySchema, key: string, at: (node: Node) => SetPlace): unknown {
  if (schema.type === "array") {
    if (node.type !== "array") throw wrongType(node, key, "a list of strings", at(node));
    const items = node.children ?? [];
    if (items.length < (schema.minItems ?? 0)) throw setFault(at(node), `${key}: the list is empty`);
    return items.map((item, index) => requireType(item, schema.items, `${key}[${index}]`, at(item)));
  }
  if (schema.type !== "object") return requireType(node, schema, key, at(node));
  const { propertyNames, additionalProperties } = schema;
  const entries = [...properties(node, at, key)].map(([name, property]) => {
    if (propertyNames.enum !== undefined && !propertyNames.enum.includes(name)) {
      throw unknownKey(name, propertyNames.enum, at(property.name));
    }
    if (propertyNames.pattern !== undefined && !new RegExp(propertyNames.pattern, "u").test(name)) {
      throw setFault(at(property.name), `${key}: not a name: ${JSON.stringify(name)}`);
    }
    return [name, requireType(property.value, additionalProperties, `${key}.${name}`, at(property.value))] as const;
  });
  return Object.fromEntries(entries);
}

function requireType(node: Node, schema: ValueSchema, key: string, place: SetPlace): unknown {
  const value: unknown = node.value;
  switch (schema.type) {
    case "boolean":
      if (node.type !== "boolean") throw wrongType(node, key, "true or false", place);
      return value;
    case "integer": {
      const { minimum, maximum } = schema;
      const isWhole = node.type === "number" && Number.isInteger(value);
      if (isWhole && Number(value) >= minimum && Number(value) <= maximum) return value;
      throw wrongType(node, key, `a whole number from ${minimum} to ${maximum}`, place);
    }
    case "string":
      if (node.type !== "string") throw wrongType(node, key, "a string", place);
      if (schema.enum !== undefined && !schema.enum.includes(String(value))) {
        throw setFault(
          place,
          `${key}: expected ${schema.enum.join(" or ")}, got ${describe(node)}`,
          didYouMean(String(value), schema.enum),
        );
      }
      if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(String(value))) {
        throw setFault(place, `${key}: not a valid value: ${describe(node)}`, exampleFor(key));
      }
      return value;
    default:
      if (node.type !== "string" && node.type !== "null") throw wrongType(node, key, "a string or null", place);
      return value;
  }
}

function exampleFor(key: string): string | undefined {
  if (key.startsWith("memory")) return "A size is 512M or 2G, and counts in 1024.";
  return /Timeout|Unresponsive/.test(key) ? "A time is 500ms, 90s or 5m." : undefined;
}

function wrongType(node: Node, key: string, expected: string, place: SetPlace): LockkeeperError {
  return setFault(place, `${key}: expected ${expected}, got ${describe(node)}`);
}

/** Values may be secrets, so only their type is reported, or a short number or word. */
function describe({ type, value }: Node): string {
  if (type === "number" || type === "boolean" || type === "null") return String(value);
  if (type === "string") return "a string";
  return type === "array" ? "a list" : "an object";
}
