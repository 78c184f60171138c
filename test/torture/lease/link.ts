/**
 * The way from one host to the members of etcd: a proxy for each of them, which can be slow or silent. Where the machine
 * permits it, the host lives in its own network namespace, and the kernel drops the packets of a partition. Elsewhere
 * the proxies are silent, and the report says so.
 */
import { spawnSync } from "node:child_process";
import type { AddressInfo, Server, Socket } from "node:net";
import { connect, createServer } from "node:net";

/** How a host is cut off. */
export type PartitionMeans = "namespace" | "proxy";

/** One host's way to etcd. */
export class Link {
  /** The addresses that the host gets instead of the members' own. */
  endpoints: readonly string[] = [];
  /** The prefix for the argv of a process that must live on the host. */
  readonly prefix: readonly string[];
  readonly means: PartitionMeans;
  readonly #number: number;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #delayMs = 0;
  #isSilent = false;
  #isCut = false;

  constructor(number: number, means: PartitionMeans) {
    this.#number = number;
    this.means = means;
    this.prefix = means === "namespace" ? ["ip", "netns", "exec", this.#namespace] : [];
  }

  get #namespace(): string {
    return `lk${process.pid}h${this.#number}`;
  }

  get #interface(): string {
    return `lk${process.pid % 100_000}v${this.#number}`;
  }

  /** Makes the way to `members`, given as URLs. */
  async open(members: readonly string[]): Promise<void> {
    if (this.means === "namespace") this.#makeNamespace();
    const host = this.means === "namespace" ? `10.213.${this.#number}.1` : "127.0.0.1";
    const endpoints: string[] = [];
    for (const member of members) {
      const server = createServer((socket) => this.#pass(socket, Number(new URL(member).port)));
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(0, host, resolve);
      });
      this.#servers.push(server);
      endpoints.push(`http://${host}:${(server.address() as AddressInfo).port}`);
    }
    this.endpoints = endpoints;
  }

  /** Nothing passes any more, in either direction, and no side is told. */
  cut(): void {
    this.#isCut = true;
    if (this.means === "proxy") this.#isSilent = true;
    else for (const rule of this.#rules) run("iptables", "-I", ...rule);
  }

  /** Undoes {@link cut} and {@link slow}. */
  heal(): void {
    this.#delayMs = 0;
    if (!this.#isCut) return;
    this.#isCut = false;
    if (this.means === "namespace") for (const rule of this.#rules) run("iptables", "-D", ...rule);
    this.#isSilent = false;
    // The dropped data cannot be passed on in order any more.
    if (this.means === "proxy") for (const socket of this.#sockets) socket.destroy();
  }

  /** From now on every piece takes `delayMs`, one way. */
  slow(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  close(): void {
    this.heal();
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
    if (this.means === "namespace") {
      spawnSync("ip", ["link", "del", this.#interface]);
      spawnSync("ip", ["netns", "del", this.#namespace]);
    }
  }

  get #rules(): readonly (readonly string[])[] {
    return [
      ["INPUT", "-i", this.#interface, "-j", "DROP"],
      ["OUTPUT", "-o", this.#interface, "-j", "DROP"],
    ];
  }

  #makeNamespace(): void {
    const net = `10.213.${this.#number}`;
    const inside = `${this.#interface}p`;
    run("ip", "netns", "add", this.#namespace);
    run("ip", "link", "add", this.#interface, "type", "veth", "peer", "name", inside);
    run("ip", "link", "set", inside, "netns", this.#namespace);
    run("ip", "addr", "add", `${net}.1/24`, "dev", this.#interface);
    run("ip", "link", "set", this.#interface, "up");
    for (const command of [
      ["addr", "add", `${net}.2/24`, "dev", inside],
      ["link", "set", inside, "up"],
      ["link", "set", "lo", "up"],
    ]) {
      run("ip", "-n", this.#namespace, ...command);
    }
  }

  #pass(near: Socket, port: number): void {
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on("data", (chunk) => this.#later(() => to.write(chunk)));
      from.on("end", () => this.#later(() => to.end()));
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.#sockets.delete(from);
        this.#later(() => to.destroy());
      });
    }
  }

  #later(act: () => unknown): void {
    if (this.#isSilent) return;
    if (this.#delayMs === 0) act();
    else setTimeout(act, this.#delayMs);
  }
}

/** Returns how hosts can be cut off on this machine. */
export function findPartitionMeans(): PartitionMeans {
  const name = `lk${process.pid}probe`;
  const isPossible =
    spawnSync("ip", ["netns", "add", name]).status === 0 &&
    spawnSync("iptables", ["-n", "-L", "INPUT"]).status === 0 &&
    spawnSync("ip", ["netns", "exec", name, "true"]).status === 0;
  spawnSync("ip", ["netns", "del", name]);
  return isPossible ? "namespace" : "proxy";
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${String(stderr)}`);
}
