import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkPlaceholders, fillTemplate, fillVariable, templateValues } from "../../src/kinds/argv-template.ts";
import type { TemplateValues } from "../../src/kinds/argv-template.ts";
import { manifest } from "../scratch-home.ts";

const VALUES: TemplateValues = {
  name: "api",
  host: "127.0.0.1",
  port: 18_900,
  span: 10,
  stateDir: "/home/me/my state; rm -rf $HOME",
  configPath: "/c/{port}.json",
  workspace: "/w",
};

describe("fillTemplate", () => {
  test.each([
    ["--port={port}", "--port=18900"],
    ["{host}:{port+1}", "127.0.0.1:18901"],
    ["{port+0}/{port+9}", "18900/18909"],
    ["{name} {workspace}", "api /w"],
    ["{{port}}", "{port}"],
    ["{{{port}}}", "{18900}"],
    ['{{"a":{{"b":{port}}}}}', '{"a":{"b":18900}}'],
    ["", ""],
  ])("fills %j", (text, filled) => {
    expect(fillTemplate(text, VALUES)).toBe(filled);
  });

  test("inserts values unchanged: never expanded again, never split, no replacement patterns", () => {
    expect(fillTemplate("{stateDir}", VALUES)).toBe(VALUES.stateDir);
    expect(fillTemplate("{configPath}", VALUES)).toBe("/c/{port}.json");
    expect(fillTemplate("{workspace}", { ...VALUES, workspace: "$& $1 $$" })).toBe("$& $1 $$");
  });

  test("leaves every text without braces alone", () => {
    const plain = fc.string({ unit: "grapheme" }).filter((text) => !/[{}]/.test(text));
    fc.assert(fc.property(plain, (text) => fillTemplate(text, VALUES) === text));
  });

  test("returns any text whose braces were doubled", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("{", "}", "a", "port", "+", " ") }), (text) => {
        const doubled = text.replaceAll(/[{}]/g, (brace) => brace + brace);
        expect(fillTemplate(doubled, VALUES)).toBe(text);
      }),
    );
  });

  test.each([
    "{nope}",
    "{}",
    "{ port}",
    "{PORT}",
    "{port+}",
    "{port-1}",
    "{port+1.5}",
    "{__proto__}",
    "{toString}",
    "{xport+1}",
    "{xport+99}",
    "{port+123456}",
  ])("refuses the unknown placeholder %s and lists the known ones", (text) => {
    expect(() => fillTemplate(text, VALUES)).toThrow(
      expect.objectContaining({
        code: "OPTION_INVALID",
        message: `unknown placeholder ${text} in the argument ${JSON.stringify(text)}`,
        hint: expect.stringContaining("{port+N}"),
      }),
    );
  });

  test.each(["{", "}", "a{port", "port}", '{"a":1}'.slice(0, 4)])("refuses the single brace in %j", (text) => {
    expect(() => fillTemplate(text, VALUES)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", message: expect.stringMatching(/^a single [{}] /) }),
    );
  });

  test("refuses exactly the offsets outside the block", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 1, max: 120 }), (offset, span) => {
        const fill = (): string => fillTemplate(`{port+${offset}}`, { ...VALUES, span });
        if (offset < span) expect(fill()).toBe(String(VALUES.port + offset));
        else expect(fill).toThrow(`{port+${offset}} lies outside the block of ${span} ports`);
      }),
    );
  });
});

describe("fillVariable", () => {
  test.each([
    ["{port}", "18900"],
    ["http://{host}:{port+1}/{name}", "http://127.0.0.1:18901/api"],
    ['{"a":{"port":{port}}}', '{"a":{"port":18900}}'],
    ["{{port}} ${port} ${HOME}", "{{port}} ${port} ${HOME}"],
    ["{} { } {a b} {1} } {", "{} { } {a b} {1} } {"],
    ["{port+10} {prot}", "{port+10} {prot}"],
    ["{configPath}", "/c/{port}.json"],
  ])("fills %j", (text, filled) => expect(fillVariable(text, VALUES)).toBe(filled));

  test.each(["{prot}", "a {HOST}", "{port+10}", "{toString}"])("%s is refused when it is written down", (text) => {
    const check = (): void => checkPlaceholders("SECRET", `hunter2 ${text}`, VALUES);
    expect(check).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", message: expect.not.stringMatching(/hunter2/) }),
    );
  });

  test("an accepted template is filled in without a placeholder left", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("{", "}", "port", "+1", "x", "$", " ") }), (text) => {
        try {
          checkPlaceholders("A", text, VALUES);
        } catch {
          return;
        }
        expect(() => checkPlaceholders("A", text, VALUES)).not.toThrow();
        expect(fillVariable(text, VALUES).replaceAll(/\{\{|\$\{/g, " ")).not.toMatch(/\{[a-z]+\}/);
      }),
    );
  });

  test.each(["plain", "{port}", "{port+9}", "{{prot}}", "${prot}", "{}", "{ prot }", '{"a":1}', "{a b} } {"])(
    "%j may be written down",
    (text) => expect(() => checkPlaceholders("A", text, VALUES)).not.toThrow(),
  );

  test("a refusal says what would be valid", () => {
    expect(() => checkPlaceholders("URL", "{prot}", VALUES)).toThrow(
      expect.objectContaining({
        message: "{prot} in the value of --env URL is no placeholder",
        hint: expect.stringContaining("{port+N}"),
      }),
    );
    expect(() => checkPlaceholders("URL", "{port+10}", VALUES)).toThrow(
      expect.objectContaining({
        message: "{port+10} in the value of --env URL lies outside the block of 10 ports",
        hint: expect.stringContaining("at most 9;"),
      }),
    );
    expect(() => fillTemplate("{port+10}", VALUES)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("at most 9;") }),
    );
  });
});

test("placeholders stand for the manifest's values, and for the port of the run", () => {
  const dev = manifest("/home", "dev", 20_000);
  expect(templateValues(dev, 30_000)).toEqual({
    name: "dev",
    host: dev.host,
    port: 30_000,
    span: dev.span,
    stateDir: dev.paths.state,
    configPath: dev.paths.config,
    workspace: dev.paths.workspace,
  });
  expect(new Set(Object.values(dev.paths)).size).toBe(Object.values(dev.paths).length);
});
