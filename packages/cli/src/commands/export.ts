import { basename, join, resolve, sep } from 'node:path';
import { listResults, readResult, storeOf } from '@epochscope/analysis';
import { encodeBinary } from '@epochscope/analysis/results';
import { EpochscopeError, formatBytes, guard } from '@epochscope/core-wasm';
import type { Command } from 'commander';
import { openTold } from '../analyse.js';
import { fileName, isFolder, makeFolder, writeFileWhole } from '../files.js';
import type { Output } from '../output.js';
import { boardValues, encodeEvents } from '../tensorboard/index.js';
import { usage } from '../usage.js';

export function define(command: Command): Command {
  return command
    .argument('<run-or-result>', 'run directory, or the folder of a result')
    .argument('[result]', 'of a run: METHOD, or METHOD/NAME where it has several')
    .option(
      '-o, --output <path>',
      'file to write (default: METHOD-NAME.epochscope here); of --tensorboard a folder (default: tensorboard)',
    )
    .option(
      '--tensorboard',
      'instead: metrics of the snapshots, and of all results what is a number or an iVAT picture a snapshot, as a TensorBoard event file',
    )
    .addHelpText(
      'after',
      '\nA result with its arrays and the images it refers to, exactly: what the src of an element, "epochscope FILE" and Python\'s\nepochscope.read_result read.\n\nExamples:\n  epochscope export my-run tendency -o tendency.epochscope\n  epochscope export my-run modules/theta-0.6\n  epochscope export my-run --tensorboard',
    );
}

export async function run(
  [place, which]: string[],
  o: { output?: string; tensorboard?: boolean },
  output: Output,
): Promise<void> {
  if (o.tensorboard) return board(place!, which, o.output ?? 'tensorboard', output);
  const [store, folder] = await folderOf(place!, which);
  const result = await readResult(store, folder);
  const file = o.output ?? fileName(`${result.method}-${result.name}.epochscope`);
  const bytes = encodeBinary(result);
  await writeFileWhole(file, bytes);
  output.result(`${file} (${formatBytes(bytes.length)}): ${result.method} ${result.name} of ${place}`, {
    file,
    bytes: bytes.length,
    method: result.method,
    name: result.name,
  });
}

/** One event file a run: written again it is replaced, so that TensorBoard shows each value once. */
async function board(
  place: string,
  which: string | undefined,
  folder: string,
  output: Output,
): Promise<void> {
  if (which !== undefined) throw usage(`--tensorboard writes all results of a run; leave out ${which}`);
  const run = await openTold(place, output);
  const values = await boardValues(run, place);
  guard(
    values.length > 0,
    'missing',
    () => `${place} has neither metrics nor results of numbers; run a method on it first`,
    { path: place },
  );
  const inside = join(folder, fileName(basename(resolve(place))));
  await makeFolder(inside);
  const file = join(inside, 'events.out.tfevents.0.epochscope');
  const bytes = encodeEvents(values, Date.now() / 1000);
  await writeFileWhole(file, bytes);
  const pictures = values.filter(({ value }) => typeof value !== 'number').length;
  output.result(
    `${file} (${formatBytes(bytes.length)}): ${values.length - pictures} numbers, ${pictures} pictures of ${place}\nNext: tensorboard --logdir ${folder}`,
    { file, bytes: bytes.length, numbers: values.length - pictures, pictures },
  );
}

/** The run, or the folder alone, and where in it the result lies. Throws `missing`, `argument`. */
async function folderOf(place: string, which: string | undefined): Promise<[string, string]> {
  if (!(await isFolder(place)))
    throw new EpochscopeError('missing', `${place}: expected a run's folder, or that of a result`, {
      path: place,
    });
  const results = await listResults(place);
  const nameOf = ({ method, name }: { method: string; name: string }) => `${method}/${name}`;
  const found = results.filter((one) => which === undefined || nameOf(one) === which || one.method === which);
  if (found.length === 1) return [place, found[0]!.folder];
  // A result's own folder holds no others.
  if (!results.length && which === undefined) {
    // In a run it refers to the run's samples.
    const [run, inside] = [join(place, '..', '..', '..'), resolve(place).split(sep).slice(-3)];
    return inside[0] === 'results' && (await isRun(run)) ? [run, inside.join('/')] : [place, ''];
  }
  const list = results.map(nameOf).join(', ') || 'none';
  throw new EpochscopeError(
    found.length ? 'argument' : 'missing',
    found.length
      ? `${place} holds ${found.length} results${which === undefined ? '' : ` of ${which}`}: say which, one of ${found.map(nameOf).join(', ')}`
      : `${place} holds no result ${which}; it has ${list}`,
    { path: place },
  );
}

const isRun = async (path: string) => (await storeOf(path)).has('run.json');
