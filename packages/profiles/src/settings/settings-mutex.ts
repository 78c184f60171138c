/** The mutex that a change of settings takes, apart: whoever only reads settings must not pay for loading locks. */
export { withFileMutex } from "@lockkeeper/core";
