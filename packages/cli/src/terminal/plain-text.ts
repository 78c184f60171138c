/** Makes foreign text safe for a terminal: paths, commands, log lines, error messages. Pure. */
import { plainText, withoutColours } from "@lockkeeper/core/internal";

export { jsonText, plainLine, plainOutput, plainText } from "@lockkeeper/core/internal";

/**
 * Returns a gateway's output, safe for a terminal: colours are dropped, with the carriage return of a line end; everything
 * else as {@link plainText}.
 */
export function outputText(line: string): string {
  return plainText(withoutColours(line.endsWith("\r") ? line.slice(0, -1) : line));
}
