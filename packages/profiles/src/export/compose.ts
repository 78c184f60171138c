/**
 * A Compose file: one service a profile. Pure. `$` is Compose's own sign in every text and is doubled.
 * Source: the Compose specification (compose-spec.io), and files that Compose v2 really ran.
 */
import { healthCommand } from "./container-plan.ts";
import type { ContainerPlan } from "./container-plan.ts";
import { formatYaml } from "./yaml.ts";
import type { Yaml } from "./yaml.ts";

/** The default image: a variable of Compose, with the message for a missing value. */
const IMAGE_VARIABLE = "${LOCKKEEPER_IMAGE:?build one: lockkeeper export NAME --containerfile}";

/** Returns the text. `image` undefined: the variable `LOCKKEEPER_IMAGE`. */
export function formatCompose(plans: readonly ContainerPlan[], image: string | undefined): string {
  const [first] = plans;
  const name = plans.length === 1 && first !== undefined ? `lockkeeper-${first.profile}` : "lockkeeper";
  const services = plans.map((plan) => [plan.profile, service(plan, plans, image)] as const);
  return formatYaml({ name, services: Object.fromEntries(services) });
}

function service(plan: ContainerPlan, plans: readonly ContainerPlan[], image: string | undefined): Yaml {
  const { profile, kind, network, mounts, memoryMaxBytes } = plan;
  const before = plan.after.filter((name) => plans.some((other) => other.profile === name));
  return {
    image: image === undefined ? IMAGE_VARIABLE : plain(image),
    // The engine cannot be told to ignore an exit status, so the process stays instead of being restarted in vain.
    command: ["run", profile, "--stay"],
    user: `${plan.uid}:${plan.gid}`,
    init: true,
    restart: "unless-stopped",
    stop_grace_period: `${plan.stopSeconds}s`,
    environment: environment(plan),
    volumes: mounts.map(({ path, role }) => ({
      type: "bind",
      source: plain(path),
      target: plain(path),
      ...(role === "file" ? { read_only: true } : {}),
      // A missing folder is a mistake; Docker would create it as root.
      bind: { create_host_path: false },
    })),
    ...(network === "host"
      ? { network_mode: "host" }
      : { ports: network.published.map((port) => publication(network.address, port)) }),
    ...(before.length === 0
      ? {}
      : { depends_on: Object.fromEntries(before.map((name) => [name, { condition: "service_healthy" }])) }),
    ...(kind === "builtin" ? { read_only: true } : {}),
    tmpfs: ["/tmp"],
    // Browsers keep their shared memory there.
    ...(plan.sharedMemoryGiB === undefined ? {} : { shm_size: `${plan.sharedMemoryGiB}gb` }),
    ...(memoryMaxBytes === undefined ? {} : { mem_limit: memoryMaxBytes }),
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
    healthcheck: {
      test: ["CMD", ...healthCommand(plan)],
      interval: "30s",
      timeout: "10s",
      start_period: `${plan.startSeconds}s`,
      retries: 3,
    },
  };
}

/** Without a value Compose uses its own environment. */
function environment({ home, userHome, passEnv }: ContainerPlan): Yaml {
  const passed = passEnv.map((name) => [name, null] as const);
  return { LOCKKEEPER_HOME: plain(home), HOME: plain(userHome), ...Object.fromEntries(passed) };
}

/** Without an address it is published on every address of the host, IPv4 and IPv6. */
function publication(address: "0.0.0.0" | "::", port: number): string {
  return address === "::" ? `${port}:${port}` : `${address}:${port}:${port}`;
}

function plain(text: string): string {
  return text.replaceAll("$", "$$$$");
}
