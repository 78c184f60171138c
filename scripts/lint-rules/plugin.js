/** The house's own lint rules, loaded by oxlint. */
import { constantCase } from "./constant-case.js";

export default { meta: { name: "house" }, rules: { "constant-case": constantCase } };
