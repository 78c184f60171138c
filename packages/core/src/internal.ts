/**
 * The door of `@lockkeeper/core` for the packages of this repository, which are released together with it: the parts for
 * running other programs' gateways. It may change with any release.
 */

// The lock, a gateway under it, and their errors.
export { errnoOf, faultOf, fileError, interrupted, isForeseen, throwIfAborted } from "./errors.ts";
export { portInUse } from "./host/port-in-use.ts";
export { takeWarnings, warn, warnAfter } from "./warning.ts";
export { shellCommand, shellQuote } from "./shell-quote.ts";
export type { KernelAnswer, KernelLook } from "./lock/kernel-look.ts";
export { lookAtKernelLocks } from "./lock/kernel-look.ts";
export { sweepGatewayLock } from "./lock/sweep.ts";
export { refuseUnsafeLockFiles } from "./lock/unsafe-lock-files.ts";
export { readGatewayLock } from "./lock/inspect.ts";
export { isMutexRecord } from "./lock/lock-record.ts";
export { holdsDisplacedLock, readDisplacedLock } from "./lock/displaced-lock.ts";
export type { FileMutexOptions } from "./lock/file-mutex.ts";
export { withFileMutex } from "./lock/file-mutex.ts";
export type { WhileUnownedOptions } from "./lock/while-unowned.ts";
export { whileUnowned } from "./lock/while-unowned.ts";
export { highestLimit } from "./gateway/gateway-limits.ts";
export { HOST_HEADER_PATTERN, ORIGIN_PATTERN } from "./gateway/gateway-options.ts";
export { readKeptProgram } from "./keeper/kept-program.ts";
export { PERMANENT_EXIT_STATUS } from "./keeper/restart-policy.ts";
export { tokenFault } from "./gateway/access-token.ts";
export type { KnownOptions, OptionKind } from "./wrong-options.ts";
export { isIntegerFrom, optionCheck, refuseUnknownOptions } from "./wrong-options.ts";
export { didYouMean, nearestNames } from "./nearest-names.ts";
export { jsonText, plainLine, plainOutput, plainText } from "./plain-text.ts";

// What the host knows: addresses, ports, processes.
export { hostWithPort, isLoopbackHost, isWildcardHost, reachableHost } from "./host/address.ts";
export type { Holder, Listener } from "./host/listener.ts";
export { describeHolder, shownCommand } from "./host/holder.ts";
export type { HostView } from "./host/sockets.ts";
export { coversAddress, findHolders, readClosingPorts, readListeners } from "./host/sockets.ts";
export { countOpenFiles, openFileLimit, requireOpenFiles } from "./host/open-files.ts";
export type { PortProbe } from "./host/probe-port.ts";
export { probeAddress, probeBind, probeListener } from "./host/probe-port.ts";
export type { ProcessVerdict } from "./host/process-identity.ts";
export {
  identifyProcess,
  isHiddenHere,
  isInOwnNamespace,
  isPaused,
  judgeProcess,
  ownIdentity,
  sameProcess,
} from "./host/process-identity.ts";
export { networkFileSystem, requireRoom, requireWritable } from "./host/file-system.ts";
export { readyLockList } from "./host/lock-list-readiness.ts";
export type { ProcessTreeQuery, RunProcess } from "./host/process-tree.ts";
export { findRunProcesses, isInsideRun, listVisibleRuns } from "./host/process-tree.ts";
export type { RunBond, RunMarks } from "./host/run-bond.ts";
export { RUN_VARIABLE, ancestorsOf, carriesRun, describeRunOf, readRunNonce } from "./host/run-bond.ts";
export type { SignalOutcome } from "./host/process-signal.ts";
export { bondOf, mayBeSignalled, signalProcess } from "./host/process-signal.ts";
export type { ProcessUsage } from "./host/process-usage.ts";
export { readProcessUsage, readUsageAgain } from "./host/process-usage.ts";
export { isMainProcess } from "./host/main-process.ts";
export { canCapMemory } from "./host/memory-cap.ts";
export type { TreeMemory } from "./host/process-memory.ts";
export { memoryOf, readTreeMemory } from "./host/process-memory.ts";
export type { ProcessLaunch } from "./host/process-launch.ts";
export { readProcessLaunch } from "./host/process-launch.ts";

// Whose listener has a port.
export { viewPorts } from "./keeper/port-view.ts";

// Waits that end.
export { pause } from "./pause.ts";
export { sha256 } from "./sha256.ts";

// Signals to a program of ours.
export type { StopSignals } from "./stop-signals.ts";
export { SAME_REQUEST_MS, ignoreStraySignals, takeStopSignals } from "./stop-signals.ts";

// Files of one's own.
export type { ReplaceOptions } from "./storage/durable-file.ts";
export { replaceFile, syncDirectory } from "./storage/durable-file.ts";
export { fileKind } from "./storage/file-kind.ts";
export { readIfPresentSync } from "./storage/small-file.ts";
export type { FileOwner } from "./storage/private-file.ts";
export { bitsOfOthers } from "./storage/bits-of-others.ts";
export {
  belongsToAnother,
  doubtAbout,
  openToOthers,
  refuseUnlessPlain,
  unsafePath,
  writtenByOthers,
} from "./storage/private-file.ts";
export type { Seen } from "./storage/path-look.ts";
export { PathLook } from "./storage/path-look.ts";
export { randomBytes } from "./storage/random-bytes.ts";
export { lstatIfPresent, realPath } from "./storage/real-path.ts";
export {
  ensurePrivateDirectories,
  ensurePrivateDirectory,
  isSafeWay,
  refuseUnsafeDirectory,
} from "./storage/private-directory.ts";

// One owner across hosts.
export type { LeaseSettings } from "./lease/lease-settings.ts";
export type { SeenLease } from "./lease/read-lease.ts";
export { readLease } from "./lease/read-lease.ts";
export type { SentinelOutcome } from "./lease/sentinel.ts";
export { standSentinel } from "./lease/sentinel.ts";

// Telling somebody what happens to a run.
export type { HookPlan } from "./hooks/hook-caller.ts";
export type { HookEvent, HookMessage } from "./hooks/hook-news.ts";
export { hookMessage } from "./hooks/hook-news.ts";
export type { HookTarget } from "./hooks/hook-target.ts";
export { describeTarget, shownTarget } from "./hooks/hook-target.ts";
export type { Telling } from "./hooks/tell-hook.ts";
export { tellHook } from "./hooks/tell-hook.ts";

// The keeper of one gateway, and what it leaves to read.
export { keepHeapSmall } from "./keeper/small-heap.ts";
export type { PortBlock, SparedProcess, Sparing } from "./keeper/sparing.ts";
export { isResting } from "./keeper/run-record.ts";
export { describeSpared, tellApart } from "./keeper/sparing.ts";
export type { OutsideSocket } from "./keeper/outside-sockets.ts";
export { findOutsideSockets, isOutsideSocket } from "./keeper/outside-sockets.ts";
export { findSurvivingServer } from "./keeper/surviving-server.ts";
export type { StopOrder, StopResult } from "./keeper/stop-ladder.ts";
export { writeStopRequest } from "./keeper/stop-request.ts";
export { stopProcessTree } from "./keeper/stop-ladder.ts";
export { uptimeShare } from "./keeper/uptime-share.ts";
export { appendHistory, formatHistoryEvent } from "./keeper/history.ts";
export type { AttemptOptions, AttemptOutput } from "./keeper/attempt-output.ts";
export { readLastAttempt } from "./keeper/attempt-output.ts";
export { withoutColours } from "./keeper/colours.ts";
export { formsOf as formsOfSecrets, withoutSecrets } from "./keeper/redaction.ts";
export type { LogNote, LogNoteKind } from "./keeper/log-note.ts";
export { parseLogNote } from "./keeper/log-note.ts";
export { followOutput } from "./keeper/log-follow.ts";
export { readLastLines } from "./keeper/log-reader.ts";
