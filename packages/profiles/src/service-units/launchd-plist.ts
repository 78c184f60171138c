/**
 * The property list of a launchd agent for one profile. Pure. Written from launchd.plist(5). It was never run, because no
 * macOS host was available: only its form is tested.
 */
import { launchdLogPath, profilePaths } from "../profile-paths.ts";
import type { UnitPlan } from "./unit-plan.ts";

/**
 * Returns the property list. `KeepAlive` applies only to unsuccessful exits. launchd knows no other exit statuses, so there
 * the launcher ends a permanent failure with 0, and the gateway stays down.
 */
export function formatLaunchdPlist(plan: UnitPlan, label: string): string {
  const argv = [...plan.launcher, "run", plan.profile, "--supervised"];
  const log = launchdLogPath(profilePaths(plan.home, plan.profile));
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${escapeXml(label)}</string>
  <key>ProgramArguments</key>
  <array>
${argv.map((word) => `    <string>${escapeXml(word)}</string>`).join("\n")}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
    <key>LOCKKEEPER_HOME</key>
    <string>${escapeXml(plan.home)}</string>
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>10</integer>
  <key>ExitTimeOut</key>
  <integer>${Math.ceil(plan.stopTimeoutMs / 1_000)}</integer>
  <key>Umask</key>
  <integer>63</integer>
  <key>StandardOutPath</key>
  <string>${escapeXml(log)}</string>
  <key>StandardErrorPath</key>
  <string>${escapeXml(log)}</string>
</dict>
</plist>
`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
