/** The mutex for changes of settings, in a separate file, so that reading settings does not load locks. */
export { withFileMutex } from "@lockkeeper/core/internal";
