/** A Containerfile for an image that runs profiles: Lockkeeper behind an init, and a place for what else the gateways need. Pure. */

/** The contents of the image. */
export interface ImageRequest {
  /** The version of Lockkeeper in it. */
  readonly version: string;
  readonly image: string;
  /** In words, one line each. */
  readonly needs: readonly string[];
}

/** Returns the text. */
export function formatContainerfile({ version, image, needs }: ImageRequest): string {
  return [
    `# Build it: podman build -t ${image} -f Containerfile .`,
    // The kernel's lock comes as an addon that is built for glibc.
    "FROM docker.io/library/node:22-bookworm-slim",
    // The first process of a container must reap orphans, and a keeper cannot.
    "RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*",
    `RUN npm install --global lockkeeper@${version} && npm cache clean --force`,
    ...needs.map((need) => `# ${need}`),
    // -s: it also works when the engine adds its own init in front.
    'ENTRYPOINT ["tini", "-s", "--", "lockkeeper"]',
    "",
  ].join("\n");
}
