/** The facade of profiles and nothing else of that package, so that what a command loads stays small. */
export { openProfiles } from "@lockkeeper/profiles";
