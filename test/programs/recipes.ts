/** The programs of docs/programs.md: each with its printed command and everything needed to try it for real. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

export interface Recipe {
  /** The command as the page prints it, after `lockkeeper`. */
  readonly command: string;
  /** The path to request once it runs; null for a program without a port. */
  readonly asks: string | null;
  /** Text in its answer. @default hello */
  readonly shows?: RegExp;
  /** npm packages that its folder needs. */
  readonly packages?: readonly string[];
  /** A step between the packages and the first start. */
  readonly builds?: readonly string[];
  /** Puts a small project into its folder. */
  readonly prepare: (folder: string) => void;
  /** A folder for the front of PATH, or why this machine cannot run it. */
  readonly finds?: () => { readonly folder: string } | { readonly missing: string };
}

const SERVER = `require("node:http").createServer((q, r) => r.end("hello")).listen(process.env.PORT, process.env.HOST)`;

const SERVE_SH = `#!/bin/sh
exec python3 -m http.server "$PORT" --bind "$HOST"
`;

const TICK_SH = `#!/bin/sh
while :; do echo tick; sleep 1; done
`;

const ASGI = `async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})
`;

/** The common programs, one after the other. */
export const RECIPES: readonly Recipe[] = [
  {
    command: "create dev -- npm run dev",
    asks: "/",
    prepare: (folder) => {
      put(folder, { "server.js": SERVER, "package.json": JSON.stringify({ scripts: { dev: "node server.js" } }) });
    },
  },
  { command: "create api -- node server.js", asks: "/", prepare: (folder) => put(folder, { "server.js": SERVER }) },
  {
    command: "create files --scheme http -- python3 -m http.server {port} --bind {host}",
    asks: "/",
    prepare: (folder) => put(folder, { "index.html": "hello" }),
    finds: () => findPython("http.server"),
  },
  {
    command: "create api --health /health -- python3 -m uvicorn main:app --host {host} --port {port}",
    asks: "/health",
    prepare: (folder) => put(folder, { "main.py": ASGI }),
    finds: () => findPython("uvicorn"),
  },
  {
    command: "create api --health /health -- python3 -m uvicorn main:app --host {host} --port {port} --reload",
    asks: "/health",
    prepare: (folder) => put(folder, { "main.py": ASGI }),
    finds: () => findPython("uvicorn"),
  },
  {
    command: "create web -- ./serve.sh",
    asks: "/",
    shows: /serve\.sh/,
    prepare: (folder) => putScript(folder, "serve.sh", SERVE_SH),
    finds: () => findPython("http.server"),
  },
  {
    command: "create job --health none -- ./work.sh",
    asks: null,
    prepare: (folder) => putScript(folder, "work.sh", TICK_SH),
  },
  {
    command: "create dev --scheme http -- npx vite --port {port} --host {host} --strictPort",
    asks: "/",
    packages: ["vite@8"],
    prepare: viteProject,
  },
  {
    command: "create dev -- npm run dev -- --port {port} --host {host} --strictPort",
    asks: "/",
    packages: ["vite@8"],
    prepare: viteProject,
  },
  {
    command: "create prod -- npx vite preview --port {port} --host {host} --strictPort",
    asks: "/",
    packages: ["vite@8"],
    builds: ["npx", "vite", "build"],
    prepare: viteProject,
  },
  {
    command: "create dev --scheme http -- npx next dev -H {host}",
    asks: "/",
    packages: ["next@16", "react@19", "react-dom@19"],
    prepare: nextProject,
  },
  {
    command: "create prod --scheme http -- npx next start -H {host}",
    asks: "/",
    packages: ["next@16", "react@19", "react-dom@19"],
    builds: ["npx", "next", "build"],
    prepare: nextProject,
  },
];

function viteProject(folder: string): void {
  put(folder, {
    "package.json": JSON.stringify({ private: true, type: "module", scripts: { dev: "vite" } }),
    "index.html": `<!doctype html><h1>hello</h1><script type="module" src="/main.js"></script>`,
    "main.js": "console.log(1);",
  });
}

function nextProject(folder: string): void {
  put(folder, {
    "package.json": JSON.stringify({ private: true }),
  });
  put(path.join(folder, "pages"), { "index.js": "export default function Page() { return 'hello'; }" });
}

function put(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
}

function putScript(folder: string, name: string, text: string): void {
  put(folder, { [name]: text });
  chmodSync(path.join(folder, name), 0o755);
}

/** A Python that has the module: the first on PATH, or the system's own. */
function findPython(module: string): { readonly folder: string } | { readonly missing: string } {
  for (const python of ["python3", "/usr/bin/python3"]) {
    const asked = spawnSync(python, ["-c", `import ${module}, sys; print(sys.executable)`], { encoding: "utf8" });
    if (asked.status === 0) return { folder: path.dirname(python === "python3" ? asked.stdout.trim() : python) };
  }
  return { missing: `no python3 here has the module ${module}` };
}
