/** A Containerfile for an image that runs profiles: Lockkeeper behind an init, and a place for what else the gateways need. Pure. */

/** What the image is made for. */
export interface ImageRequest {
  /** The version of Lockkeeper that goes into it. */
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
    // The first process of a container has to reap; a keeper cannot.
    "RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*",
    `RUN npm install --global lockkeeper@${version} && npm cache clean --force`,
    ...needs.map((need) => `# ${need}`),
    // -s: also where the engine puts an init of its own in front.
    'ENTRYPOINT ["tini", "-s", "--", "lockkeeper"]',
    "",
  ].join("\n");
}
