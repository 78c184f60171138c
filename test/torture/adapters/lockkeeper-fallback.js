/** The same lock where its addon does not load, as on musl: every `dlopen` fails, so the abstract socket is used. */
process.dlopen = () => {
  throw new Error("no addon on this host");
};

export { acquire } from "./lockkeeper.js";
