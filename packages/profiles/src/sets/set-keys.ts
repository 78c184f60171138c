/**
 * The keys of a profile in `lockkeeper.json`: one table for the reader, from which the published schema is derived. Data only.
 */
import { END_SCOPES, HOOK_EVENTS, KIND_NAMES, SCHEMES } from "../manifest.ts";
import { HIGHEST_PORT } from "../port-number.ts";

/** The allowed values, in the words of JSON Schema. */
export type ValueSchema =
  | { readonly type: "string"; readonly pattern?: string; readonly enum?: readonly string[] }
  | { readonly type: "integer"; readonly minimum: number; readonly maximum: number }
  | { readonly type: "boolean" }
  /** Null: the profile keeps its value. */
  | { readonly type: readonly ["string", "null"] };

/** A value, a list of texts, or names with values. */
export type KeySchema = { readonly description: string } & (
  | ValueSchema
  | { readonly type: "array"; readonly items: ValueSchema; readonly minItems?: number }
  | {
      readonly type: "object";
      readonly propertyNames: { readonly pattern?: string; readonly enum?: readonly string[] };
      readonly additionalProperties: ValueSchema;
    }
);

const VARIABLE = "^[A-Za-z_][A-Za-z0-9_]*$";
const TEXT = { type: "string" } as const;
const TEXT_OR_KEEP = { type: ["string", "null"] } as const;
const port = { type: "integer", minimum: 1, maximum: HIGHEST_PORT } as const;
const DURATION = { type: "string", pattern: "^\\d{1,10}(\\.\\d{1,3})?(ms|s|m|h|d)$" } as const;
const SIZE = { type: "string", pattern: "^(\\d{1,10}(\\.\\d{1,3})?[KMGT](iB|B)?|\\d{1,15}B)$" } as const;

/** A key of a profile. */
export type SetKey =
  | "kind"
  | "command"
  | "cwd"
  | "env"
  | "passEnv"
  | "envFile"
  | "portEnv"
  | "port"
  | "host"
  | "span"
  | "extraPorts"
  | "health"
  | "scheme"
  | "stopTimeout"
  | "groups"
  | "after"
  | "end"
  | "memoryRestart"
  | "memoryMax"
  | "restartUnresponsive"
  | "hooks"
  | "lease"
  | "protected";

/** Every key of a profile. */
export const setKeys: Readonly<Record<SetKey, KeySchema>> = {
  kind: { type: "string", enum: KIND_NAMES, description: "What it runs; command when there is one, else builtin." },
  command: {
    type: "array",
    items: TEXT,
    minItems: 1,
    description: "Program and arguments, with placeholders; no shell.",
  },
  cwd: { ...TEXT, description: "Where it runs, from this file's folder; a command runs in that folder." },
  env: {
    type: "object",
    propertyNames: { pattern: VARIABLE },
    additionalProperties: TEXT_OR_KEEP,
    description: "Variables; null keeps the value that the profile has. Secrets belong into envFile.",
  },
  passEnv: {
    type: "array",
    items: { type: "string", pattern: VARIABLE },
    description: "Names of variables that are taken from the starter's environment.",
  },
  envFile: { ...TEXT, description: "File of variables (mode 0600), read at each start; from this file's folder." },
  portEnv: { type: "boolean", description: "Whether PORT and HOST are set for a command; they are, unless false." },
  port: { ...port, description: "Base of the block; chosen once and remembered when it is not said." },
  host: { ...TEXT, description: "Address to listen on; 127.0.0.1 when it is not said." },
  span: { ...port, description: "Length of the block; by kind when it is not said." },
  extraPorts: {
    type: "object",
    propertyNames: { pattern: "^[a-z][a-z0-9-]{0,31}$" },
    additionalProperties: port,
    description: "Further ports by name, as distances from the base.",
  },
  health: { ...TEXT, description: "/path (2xx is healthy), http (any answer), tcp or none." },
  scheme: {
    type: "string",
    enum: SCHEMES,
    description: "How its address is opened; with http and https its health is asked so.",
  },
  stopTimeout: { ...DURATION, description: "Time to end by itself before it is killed: 500ms, 90s, 5m." },
  groups: { type: "array", items: TEXT, description: "Groups that it belongs to." },
  after: { type: "array", items: TEXT, description: "Profiles to start before it, by their names in this file." },
  end: {
    type: "string",
    enum: END_SCOPES,
    description: "What a stop ends: its own processes, or all that it started.",
  },
  memoryRestart: { ...SIZE, description: "Restart it when it stays above this: 512M, 2G." },
  memoryMax: { ...SIZE, description: "It can have no more than this." },
  restartUnresponsive: { ...DURATION, description: "Restart it after so long without an answer." },
  hooks: {
    type: "object",
    propertyNames: { enum: HOOK_EVENTS },
    additionalProperties: TEXT_OR_KEEP,
    description: "Event to program (absolute), URL, or env:NAME; null keeps the one that the profile has.",
  },
  lease: { ...TEXT, description: "One owner across hosts: etcd://h1:2379,h2:2379,h3:2379/key." },
  protected: { type: "boolean", description: "Stop, restart, remove and their like then need the name twice." },
};
