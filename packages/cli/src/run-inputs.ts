import { createHash } from 'node:crypto';
import { type FileIdentity, openFile, type Run, type StoredFile } from '@epochscope/analysis';

const CHUNK = 1 << 22;

/** SHA-256 of a file, as hex. */
export async function sha256(path: string): Promise<string> {
  return hashOf(await openFile(path));
}

/** Of an open file, or of the bytes [from, to) of it; closes it. */
async function hashOf(file: StoredFile, from = 0, to = file.size): Promise<string> {
  const hash = createHash('sha256');
  try {
    for (let at = from; at < to; at += CHUNK) hash.update(await file.read(at, Math.min(CHUNK, to - at)));
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

/**
 * SHA-256 of the weights of snapshots, for a result's `input`. A snapshot of the step log is named by file and record:
 * "steps/weights.bin#bytes=0-1023".
 */
export async function weightHashes(run: Run, ids: readonly string[]): Promise<Record<string, FileIdentity>> {
  const hashes: Record<string, FileIdentity> = {};
  for (const id of ids) {
    const { path, tensors } = await run.weightPlaces(id);
    const file = await run.store.open(path);
    if (path.endsWith('.safetensors')) {
      hashes[path] = { sha256: await hashOf(file) };
      continue;
    }
    const places = [...tensors.values()];
    const from = Math.min(...places.map(({ begin }) => begin));
    const to = Math.max(...places.map(({ end }) => end));
    hashes[`${path}#bytes=${from}-${to - 1}`] = { sha256: await hashOf(file, from, to) };
  }
  return hashes;
}

/** SHA-256 of files of a run, by their names in it. */
export async function fileHashes(run: Run, names: readonly string[]): Promise<Record<string, FileIdentity>> {
  const hashes: Record<string, FileIdentity> = {};
  for (const name of new Set(names)) hashes[name] = { sha256: await hashOf(await run.store.open(name)) };
  return hashes;
}
