/** The house's own lint rules, loaded by oxlint. */
import { commandMustSucceed } from "./command-must-succeed.js";
import { constantCase } from "./constant-case.js";
import { tagBeginsLine } from "./tag-begins-line.js";

export default {
  meta: { name: "house" },
  rules: {
    "command-must-succeed": commandMustSucceed,
    "constant-case": constantCase,
    "tag-begins-line": tagBeginsLine,
  },
};
