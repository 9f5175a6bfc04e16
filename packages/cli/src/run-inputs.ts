import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { relative, sep } from 'node:path';
import { fileError, type Run } from '@epochscope/analysis/node';

/** SHA-256 of a file, or of bytes start … end of it, as hex. */
export async function sha256(file: string, range?: { start: number; end: number }): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file, range)) hash.update(chunk);
  } catch (cause) {
    throw fileError(file, cause);
  }
  return hash.digest('hex');
}

/**
 * SHA-256 of the weights of snapshots, for a result's `input`. A snapshot of the step log is named by file and record:
 * "steps/weights.bin#bytes=0-1023".
 */
export async function weightHashes(run: Run, ids: readonly string[]): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const id of ids) {
    const { file, tensors } = await run.weightPlaces(id);
    const name = relative(run.directory, file).split(sep).join('/');
    if (file.endsWith('.safetensors')) {
      hashes[name] = await sha256(file);
      continue;
    }
    const places = [...tensors.values()];
    const start = Math.min(...places.map(({ begin }) => begin));
    const end = Math.max(...places.map(({ end }) => end)) - 1;
    hashes[`${name}#bytes=${start}-${end}`] = await sha256(file, { start, end });
  }
  return hashes;
}

/** SHA-256 of files of a run, by their names in it. */
export async function fileHashes(run: Run, names: readonly string[]): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const name of new Set(names)) hashes[name] = await sha256(`${run.directory}/${name}`);
  return hashes;
}
