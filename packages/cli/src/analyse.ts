import { basename, dirname, join } from 'node:path';
import { openRun, type ResultBase, type Run, storeOf, type WorkflowOptions } from '@epochscope/analysis';
import { EpochscopeError } from '@epochscope/core-wasm';
import { checkOutput, writeResultTo } from './files.js';
import type { Output } from './output.js';

/** A result, and the folder it was written to. */
export interface Written<Result> {
  result: Result;
  folder: string;
}

/** What a workflow tells, on the terminal: a bar a stage, notes and warnings. `stop` ends the last bar. */
export function talk(output: Output): WorkflowOptions & { stop(): void } {
  let stage = '';
  let bar: ReturnType<Output['progress']> | null = null;
  return {
    signal: output.signal,
    elsewhere: output.batch,
    onNote: (text) => output.say(text),
    onWarning: (text) => output.warn(text),
    onProgress(progress) {
      if (progress.stage !== stage) {
        bar?.stop();
        stage = progress.stage;
        bar = output.progress(stage);
      }
      bar!.update(progress.stageShare, 1, progress.title);
    },
    stop: () => bar?.stop(),
  };
}

/** What a workflow on files tells: what each was taken for and an estimate as they are, the rest as notes. */
export const talkOfFiles = (how: WorkflowOptions, output: Output, ...sources: string[]): WorkflowOptions => ({
  ...how,
  onNote: (text) =>
    output.say(
      text.startsWith('estimate') || sources.some((source) => text.startsWith(`${source}: `))
        ? text
        : `note: ${text}`,
    ),
});

/** Opens a run and tells what is incomplete in it. Throws as `openRun`. */
export async function openTold(directory: string, output: Output): Promise<Run> {
  const run = await openRun(directory);
  for (const warning of run.warnings) output.warn(warning);
  return run;
}

/** Throws `cancelled` once the person has stopped the command. */
export function checkCancelled({ signal }: Output, message: string): void {
  if (signal.aborted) throw new EpochscopeError('cancelled', message);
}

/** What was thrown; it also says what is kept for the same command, whatever ended the work: nothing lies there unsaid. */
export function goesOn(cause: unknown, kept: string): unknown {
  return cause instanceof EpochscopeError
    ? new EpochscopeError(cause.code, `${cause.message}; ${kept}, the same command goes on`, cause.fields, {
        cause,
      })
    : cause;
}

/**
 * Computes a result and writes it whole to `folder`. Refused before the long part if anything but an older result stands there. Parts that are
 * done stand beside it until then, and the same command goes on with them. Throws as `work`, `io`.
 */
export async function analyseFrom<Result extends ResultBase>(
  folder: string,
  output: Output,
  work: (how: WorkflowOptions) => Promise<Result>,
): Promise<Written<Result>> {
  await checkOutput(folder);
  const place = { store: await storeOf(dirname(folder)), folder: `${basename(folder)}.parts` };
  const { stop, ...how } = talk(output);
  let parts = 0;
  try {
    // Of a batch the parts are counted by nobody, and would be read for it.
    const result = await work({
      ...how,
      parts: place,
      ...(output.batch ? {} : { onPart: () => void parts++ }),
    });
    stop();
    checkCancelled(output, 'cancelled before anything was written');
    await writeResultTo(folder, result);
    await place.store.remove(place.folder);
    return { result, folder };
  } catch (cause) {
    // Where not even the first could be written, nothing is left of the try.
    const kept = await place.store.list(place.folder).catch(() => null);
    if (kept?.length === 0) await place.store.remove(place.folder).catch(() => {});
    throw parts ? goesOn(cause, `${parts} ${parts === 1 ? 'part is' : 'parts are'} kept`) : cause;
  } finally {
    stop();
  }
}

/** The same for a method on a run: into the run under the method and name, or to `output`. */
export function analyse<Result extends ResultBase>(
  method: string,
  { run, directory }: { run: Run; directory: string },
  { name, output: folder }: { name: string; output?: string },
  output: Output,
  work: (run: Run, how: WorkflowOptions) => Promise<Result>,
): Promise<Written<Result>> {
  return analyseFrom(folder ?? join(directory, 'results', method, name), output, (how) => work(run, how));
}

/** The same for a run by its directory. */
export async function analyseRun<Result extends ResultBase>(
  method: string,
  directory: string,
  options: { name: string; output?: string },
  output: Output,
  work: (run: Run, how: WorkflowOptions) => Promise<Result>,
): Promise<Written<Result>> {
  return analyse(method, { run: await openTold(directory, output), directory }, options, output, work);
}
