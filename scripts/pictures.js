/**
 * `pnpm pictures`: makes the README's pictures anew from a real run in a real terminal (tmux): five profiles are created and
 * started in a scratch home, the commands are run, and what the terminal shows is written as SVG. Takes about half a minute.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const entry = path.join(root, "packages/cli/bin/lockkeeper.js");
const pictures = path.join(root, "docs/pictures");
/** As long as the home that the pictures show, so that nothing moves when one is put for the other. */
const SHOWN_HOME = "/home/me";
const FOLDER = "/tmp/pic";
const socket = `lockkeeper-pictures-${process.pid}`;
const env = {
  PATH: process.env.PATH,
  HOME: FOLDER,
  LANG: "C.UTF-8",
  TERM: "xterm-256color",
  PS1: "$ ",
};

/** A small web server, so that one of the pictured profiles is a program of the reader's own kind. */
const SERVER = `const s=require("node:http").createServer((q,r)=>r.end("hello\\n"));s.listen(process.env.PORT,"127.0.0.1",()=>console.log("listening on "+process.env.PORT));let n=0;setInterval(()=>console.log("served "+(n+=3)+" requests"),900)`;

const lockkeeper = (...args) => {
  const { status, stderr } = spawnSync(process.execPath, [entry, ...args], { cwd: FOLDER, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`lockkeeper ${args.join(" ")}: ${stderr}`);
};

const tmux = (...args) => execFileSync("tmux", ["-L", socket, "-f", "/dev/null", ...args], { env, encoding: "utf8" });

/** Returns what a terminal of that size shows, with its colours, once `command` has shown `sign`. */
function photograph(command, columns, rows, sign, keys = []) {
  tmux(
    "new-session",
    "-d",
    "-x",
    String(columns),
    "-y",
    String(rows),
    "-s",
    "picture",
    "bash",
    "--norc",
    "--noprofile",
  );
  tmux("send-keys", "-t", "picture", `lockkeeper() { ${process.execPath} ${entry} "$@"; }; clear`, "Enter");
  tmux("send-keys", "-t", "picture", `lockkeeper ${command}`, "Enter");
  awaitSign(sign);
  for (const { press, shows } of keys) {
    tmux("send-keys", "-t", "picture", press);
    awaitSign(shows);
  }
  const text = tmux("capture-pane", "-e", "-p", "-t", "picture").replaceAll(FOLDER, SHOWN_HOME).trimEnd();
  tmux("kill-session", "-t", "picture");
  // What the shell showed before and after the command is no part of the picture.
  return text.slice(Math.max(0, text.lastIndexOf("$ lockkeeper"))).replace(/\n\$ ?$/, "");
}

function awaitSign(sign) {
  const deadline = Date.now() + 20_000;
  while (!sign.test(tmux("capture-pane", "-p", "-t", "picture"))) {
    if (Date.now() > deadline) throw new Error(`the terminal does not show ${sign}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
}

const COLOURS = { 31: "#f85149", 32: "#3fb950", 33: "#d29922", 36: "#39c5cf" };
const CELL = { width: 8.4, height: 18 };

/** Draws a terminal's text with its SGR sequences as SVG, readable on a light and on a dark page. */
function toSvg(text, columns) {
  const lines = text.split("\n");
  const width = Math.ceil(columns * CELL.width + 24);
  const height = lines.length * CELL.height + 24;
  const drawn = lines.map((line, row) => drawLine(line, 12, 12 + (row + 0.75) * CELL.height)).join("\n");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#e6edf3" xml:space="preserve">
${drawn}
</g>
</svg>
`;
}

function drawLine(line, x, y) {
  const style = { colour: undefined, bold: false, dim: false, inverse: false };
  const parts = [];
  let column = 0;
  // oxlint-disable-next-line no-control-regex
  for (const [, codes, words] of `\u001B[0m${line}`.matchAll(/\u001B\[([\d;]*)m([^\u001B]*)/g)) {
    for (const code of codes.split(";").map(Number)) restyle(style, code);
    if (words === "") continue;
    const left = x + column * CELL.width;
    const length = [...words].length;
    column += length;
    if (style.inverse) {
      const box = `width="${length * CELL.width}" height="${CELL.height}" fill="#e6edf3"`;
      parts.push(`<rect x="${left.toFixed(1)}" y="${y - 0.75 * CELL.height}" ${box}/>`);
    }
    const fill = style.inverse ? "#0d1117" : (style.colour ?? (style.dim ? "#8b949e" : undefined));
    const attributes = `${fill === undefined ? "" : ` fill="${fill}"`}${style.bold ? ' font-weight="bold"' : ""}`;
    // Each word stands in its own columns, whatever the width of the reader's font.
    for (const { 0: word, index } of words.matchAll(/\S+(?: \S+)*/g)) {
      const at = left + Array.from(words.slice(0, index)).length * CELL.width;
      const size = `textLength="${([...word].length * CELL.width).toFixed(1)}" lengthAdjust="spacingAndGlyphs"`;
      parts.push(`<text x="${at.toFixed(1)}" y="${y}"${attributes} ${size}>${escapeXml(word)}</text>`);
    }
  }
  return parts.join("");
}

function restyle(style, code) {
  if (code === 0) Object.assign(style, { colour: undefined, bold: false, dim: false, inverse: false });
  else if (code === 1) style.bold = true;
  else if (code === 2) style.dim = true;
  else if (code === 22) Object.assign(style, { bold: false, dim: false });
  else if (code === 7 || code === 27) style.inverse = code === 7;
  else if (code === 39) style.colour = undefined;
  else if (COLOURS[code] !== undefined) style.colour = COLOURS[code];
}

function escapeXml(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function write(name, text, columns) {
  writeFileSync(path.join(pictures, `${name}.svg`), toSvg(text, columns));
}

mkdirSync(pictures, { recursive: true });
mkdirSync(FOLDER, { mode: 0o700 });
try {
  writeFileSync(path.join(FOLDER, "server.js"), SERVER);
  lockkeeper("up", "dev", "rescue");
  lockkeeper("create", "prod", "--protected");
  lockkeeper("create", "web", "--scheme", "http", "--group", "site", "--", process.execPath, "server.js");
  lockkeeper("create", "worker", "--", process.execPath, "-e", "process.exit(3)");
  lockkeeper("start", "prod", "web");
  lockkeeper("use", "dev");
  spawnSync(process.execPath, [entry, "start", "worker"], { cwd: FOLDER, env });
  write("list", photograph("list", 100, 12, /worker +failed/), 100);
  write("ports", photograph("ports", 100, 30, /next free block/), 100);
  const keys = [
    { press: "End", shows: /worker/ },
    { press: "Up", shows: /web/ },
    { press: "l", shows: /web +●.*%[^]*log of web[^]*served/ },
  ];
  write("top", photograph("top", 100, 20, /worker +✗/, keys), 100);
} finally {
  spawnSync("tmux", ["-L", socket, "kill-server"]);
  spawnSync(process.execPath, [entry, "stop", "--all", "--confirm", "prod"], { cwd: FOLDER, env });
  spawnSync(process.execPath, [entry, "stop", "prod", "--confirm", "prod"], { cwd: FOLDER, env });
  rmSync(FOLDER, { recursive: true, force: true });
}
