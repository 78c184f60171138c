/**
 * Translates a stack of the bundle back to TypeScript, by the source maps beside the bundled files. Only called for a bug of
 * ours, so that no other call reads a map.
 */
import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** `at name (file:line:column)`, with or without parentheses; the file as a path or as a file URL. */
const FRAME = /(file:\/\/\/?[^\s()]+|\/[^\s()]+|[A-Za-z]:\\[^\s()]+):(\d+):(\d+)/g;

/** Returns `stack` with each place that a source map knows replaced by the place in the sources. Never throws. */
export function mapStack(stack: string): string {
  const maps = new Map<string, SourceMap | undefined>();
  return stack.replaceAll(FRAME, (place, location: string, line: string, column: string) => {
    const file = location.startsWith("file:") ? fileURLToPath(location) : location;
    if (!maps.has(file)) maps.set(file, readMap(file));
    const entry = maps.get(file)?.findEntry(Number(line) - 1, Number(column) - 1);
    // The bundler's own code is in the map without a source.
    if (entry === undefined || !("originalSource" in entry) || typeof entry.originalSource !== "string") return place;
    const source = path.resolve(path.dirname(file), entry.originalSource);
    return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}

function readMap(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, "utf8")));
  } catch {
    // Without a readable map the place in the bundle is shown.
    return undefined;
  }
}
