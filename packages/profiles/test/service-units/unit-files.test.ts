import { describe, expect, test } from "vitest";
import { parseLaunchdPlist, parseSystemdUnit } from "../../src/service-units/unit-files.ts";

const NOTHING_ELSE = { user: null, environmentFiles: [], passEnvironment: [] };

describe("parseSystemdUnit", () => {
  test("reads argv, environment and working directory of the service section", () => {
    const text = `
# made by openclaw
[Unit]
Description=OpenClaw
ExecStart=/not/this/section
[Service]
ExecStart=-/usr/bin/node "/opt/open claw/index.js" gateway \\
  --port 18789
WorkingDirectory=-/srv/oc
User=oc
EnvironmentFile=-/srv/oc/gateway.env
PassEnvironment=LANG HTTPS_PROXY
Environment=HOME=/home/a "OPENCLAW_PROFILE=work" 'GREETING=hello world'
Environment=PERCENT=100%%
; another comment
[Install]
WantedBy=default.target
`;
    expect(parseSystemdUnit([text])).toEqual({
      argv: ["/usr/bin/node", "/opt/open claw/index.js", "gateway", "--port", "18789"],
      environment: { HOME: "/home/a", OPENCLAW_PROFILE: "work", GREETING: "hello world", PERCENT: "100%" },
      workingDirectory: "/srv/oc",
      user: "oc",
      environmentFiles: ["-/srv/oc/gateway.env"],
      passEnvironment: ["LANG", "HTTPS_PROXY"],
    });
  });

  test.each([
    ["@/bin/a  b\tc", ["/bin/a", "b", "c"]],
    ["-+!!/bin/a", ["/bin/a"]],
    [`/bin/a "b c"d 'e "f'`, ["/bin/a", "b cd", 'e "f']],
    [`/bin/a "" ''`, ["/bin/a", "", ""]],
    [String.raw`/bin/a "b \" \\ c" 'd \' e' f\ g`, ["/bin/a", String.raw`b " \ c`, "d ' e", "f g"]],
    [`/bin/a b"c d'e f`, ["/bin/a", "b", "c", "d", "e", "f"]],
    [`/bin/a%%b "%%c d" %i`, ["/bin/a%b", "%c d", "%i"]],
  ])("splits %s as systemd does", (command, argv) => {
    expect(parseSystemdUnit([`[Service]\nExecStart=${command}\n`])?.argv).toEqual(argv);
  });

  test("a drop-in replaces what it resets and adds to the rest", () => {
    const unit = "[Service]\nExecStart=/usr/bin/openclaw gateway\nEnvironment=A=1 B=2\n";
    const dropIn = "[Service]\nExecStart=\nExecStart=/opt/openclaw gateway --port 20000\nEnvironment=B=3\n";
    expect(parseSystemdUnit([unit, dropIn])).toEqual({
      argv: ["/opt/openclaw", "gateway", "--port", "20000"],
      environment: { A: "1", B: "3" },
      workingDirectory: null,
      ...NOTHING_ELSE,
    });
  });

  test("a unit that starts nothing is ignored", () => {
    expect(parseSystemdUnit(["[Unit]\nDescription=x\n"])).toBeUndefined();
    expect(parseSystemdUnit(["\0\xff[[["])).toBeUndefined();
  });
});

test("a launchd property list gives argv, environment and working directory", () => {
  const text = `<?xml version="1.0"?><plist version="1.0"><dict>
    <key>Label</key><string>ai.openclaw.gateway</string>
    <key>ProgramArguments</key>
    <array><string>/usr/local/bin/node</string><string>/opt/a&amp;b/index.js</string><string>gateway</string></array>
    <key>EnvironmentVariables</key><dict><key>OPENCLAW_GATEWAY_PORT</key><string>18789</string></dict>
    <key>WorkingDirectory</key><string>/Users/a</string>
  </dict></plist>`;
  expect(parseLaunchdPlist(text)).toEqual({
    argv: ["/usr/local/bin/node", "/opt/a&b/index.js", "gateway"],
    environment: { OPENCLAW_GATEWAY_PORT: "18789" },
    workingDirectory: "/Users/a",
    ...NOTHING_ELSE,
  });
  expect(parseLaunchdPlist("bplist00...")).toBeUndefined();
});
