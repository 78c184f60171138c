/**
 * What a process does now and then as long as it lives. All of it is done at the same moments: waking an idle process costs as
 * much as such a look at a file.
 */

/** The lock file is looked at this often; nothing here is more urgent. */
const BEAT_MS = 1_000;

interface Chore {
  readonly everyBeats: number;
  readonly run: () => void;
  dueAtBeat: number;
}

const chores = new Set<Chore>();
let timer: NodeJS.Timeout | undefined;
let beats = 0;

/**
 * Calls `run` every `everyMs`, in whole seconds and for the first time up to a second sooner, until the returned function is
 * called. Keeps no process alive.
 */
export function addChore(everyMs: number, run: () => void): () => void {
  const everyBeats = Math.max(1, Math.round(everyMs / BEAT_MS));
  const chore: Chore = { everyBeats, run, dueAtBeat: beats + everyBeats };
  chores.add(chore);
  timer ??= setInterval(beat, BEAT_MS).unref();
  return () => {
    chores.delete(chore);
    if (chores.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function beat(): void {
  beats += 1;
  // One that another adds meanwhile is not due yet.
  for (const chore of chores) {
    if (chore.dueAtBeat > beats) continue;
    chore.dueAtBeat = beats + chore.everyBeats;
    chore.run();
  }
}
