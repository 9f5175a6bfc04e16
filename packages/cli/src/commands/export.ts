import { join, resolve, sep } from 'node:path';
import { listResults, readResult, storeOf } from '@epochscope/analysis';
import { encodeBinary } from '@epochscope/analysis/results';
import { EpochscopeError, formatBytes } from '@epochscope/core-wasm';
import type { Command } from 'commander';
import { fileName, isFolder, writeFileWhole } from '../files.js';
import type { Output } from '../output.js';

export function define(command: Command): Command {
  return command
    .argument('<run-or-result>', 'run directory, or the folder of a result')
    .argument('[result]', 'of a run: METHOD, or METHOD/NAME where it has several')
    .option('-o, --output <file>', 'file to write (default: METHOD-NAME.epochscope here)')
    .addHelpText(
      'after',
      '\nA result with its arrays and the images it refers to, exactly: what the src of an element, "epochscope FILE" and Python\'s\nepochscope.read_result read.\n\nExamples:\n  epochscope export my-run tendency -o tendency.epochscope\n  epochscope export my-run modules/theta-0.6',
    );
}

export async function run([place, which]: string[], o: { output?: string }, output: Output): Promise<void> {
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
