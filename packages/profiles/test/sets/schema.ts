/** The published schema, made from the table that the reader uses. */
import { setKeys } from "../../src/sets/set-keys.ts";

/** Returns what `packages/cli/lockkeeper.schema.json` must hold. */
export function setSchema(): unknown {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "lockkeeper.json",
    description: "Profiles that belong together: what `lockkeeper plan` compares and `lockkeeper apply` makes.",
    type: "object",
    properties: {
      $schema: { type: "string" },
      profiles: {
        type: "object",
        propertyNames: { pattern: "^[a-z0-9][a-z0-9-]{0,31}$" },
        additionalProperties: {
          type: "object",
          properties: Object.fromEntries(
            Object.entries(setKeys).map(([key, schema]) => [
              key,
              schema.type === "object"
                ? { ...schema, propertyNames: { type: "string", ...schema.propertyNames } }
                : schema,
            ]),
          ),
          additionalProperties: false,
        },
      },
    },
    additionalProperties: false,
  };
}
