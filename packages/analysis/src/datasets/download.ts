import { createHash } from 'node:crypto';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { gunzip } from '../formats/gzip.js';
import { networkError } from '../formats/http-source.js';
import { makeFolder } from '../platform/disk.js';
import { fileError } from '../platform/file.js';
import { folderStore } from '../stores/folder.js';
import { DOWNLOADS, type DownloadName, type RemoteFile } from './checksums.js';
import { readTar } from './tar.js';

/** A download may be larger than expected by this factor before it is cut off: mirrors pack a little differently. */
const MAX_GROWTH = 1.5;
/** Bytes any download may have beyond that. */
const SLACK = 65_536;
const PARTIAL = '.part';
const CIFAR_FILES = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`).concat('test_batch.bin');
const CIFAR_META = 'batches.meta.txt';

export interface DownloadProgress {
  file: string;
  /** Bytes there, those of an earlier try included. */
  done: number;
  total: number;
}

export interface DownloadOptions {
  fetch?: typeof globalThis.fetch;
  signal?: AbortSignal;
  onProgress?: (progress: DownloadProgress) => void;
  /** Other places or files than DOWNLOADS: mirrors of one's own. */
  files?: readonly RemoteFile[];
}

/**
 * Fetches a data set into `<cacheDir>/<name>/` and answers that folder, which mnistFolder and cifar10Folder read. A file
 * already there with the right content is not fetched again; one cut off is resumed (HTTP Range) at its last byte. Each
 * file's sha-256 is checked before it takes its name, so whatever has its name is whole. Throws `io` (no mirror
 * answered; all reasons are named), `format` (wrong content: the partial file is removed), `cancelled`.
 * Memory: one file packed and unpacked; CIFAR-10 about 0.7 GB.
 */
export async function downloadDataset(
  name: DownloadName,
  cacheDir: string,
  options: DownloadOptions = {},
): Promise<string> {
  guard(
    Object.hasOwn(DOWNLOADS, name),
    'argument',
    () => `expected a data set among ${Object.keys(DOWNLOADS).join(', ')}, got ${JSON.stringify(name)}`,
    { got: name },
  );
  const folder = join(cacheDir, name);
  try {
    await makeFolder(folder);
  } catch (cause) {
    throw fileError(folder, cause, 'write');
  }
  const present = await readdir(folder);
  // The unpacked batches stand for their archive: they were written from one whose checksum was right, meta file last.
  if (name === 'cifar10' && [...CIFAR_FILES, CIFAR_META].every((file) => present.includes(file)))
    return folder;
  for (const file of options.files ?? DOWNLOADS[name]) {
    const path = join(folder, file.name);
    if (!(await holds(path, file))) await download(path, file, options);
    if (file.name.endsWith('.tar.gz')) await unpackCifar(folder, path);
  }
  return folder;
}

const isArchive = (file: RemoteFile) => file.name.endsWith('.tar.gz');

/** sha-256 as RemoteFile counts it. */
async function digest(bytes: Uint8Array, file: RemoteFile): Promise<string> {
  const content = isArchive(file) ? bytes : await gunzip(bytes, file.name);
  return createHash('sha256').update(content).digest('hex');
}

async function holds(path: string, file: RemoteFile): Promise<boolean> {
  const bytes = await readFile(path).catch(() => null);
  if (!bytes) return false;
  // A damaged file is as good as none: it is fetched again.
  return (await digest(bytes, file).catch(() => '')) === file.sha256;
}

async function download(path: string, file: RemoteFile, options: DownloadOptions): Promise<void> {
  const reasons: string[] = [];
  for (const url of file.urls) {
    try {
      let got = await fetchAndDigest(url, path + PARTIAL, file, options);
      // What was resumed may have begun elsewhere, or been something else: once more from the start.
      if (got.digest !== file.sha256 && got.resumed)
        got = await fetchAndDigest(url, path + PARTIAL, file, options);
      if (got.digest !== file.sha256)
        throw new EpochscopeError(
          'format',
          `${url}: expected content of sha-256 ${file.sha256}, got ${got.digest}`,
          { file: url, expected: file.sha256, got: got.digest },
        );
      await rename(path + PARTIAL, path);
      return;
    } catch (cause) {
      const error = cause instanceof EpochscopeError ? cause : fileError(path, cause, 'write');
      if (error.code === 'cancelled') throw error;
      // With one mirror its own error says most.
      if (file.urls.length === 1) throw error;
      reasons.push(error.message);
    }
  }
  throw new EpochscopeError('io', `${file.name} could not be downloaded: ${reasons.join('; ')}`, {
    file: file.name,
  });
}

/** Completes the partial file and answers its digest (or why it has none). One of wrong content is removed. */
async function fetchAndDigest(
  url: string,
  partial: string,
  file: RemoteFile,
  options: DownloadOptions,
): Promise<{ digest: string; resumed: boolean }> {
  const resumed = await stat(partial).then(
    (info) => info.size > 0,
    () => false,
  );
  await fetchPartial(url, partial, file, options);
  const found = await digest(await readFile(partial), file).catch((cause) => (cause as Error).message);
  if (found !== file.sha256) await rm(partial, { force: true });
  return { digest: found, resumed };
}

/** Appends what is missing to the partial file. */
async function fetchPartial(
  url: string,
  partial: string,
  file: RemoteFile,
  options: DownloadOptions,
): Promise<void> {
  const { fetch = globalThis.fetch, signal, onProgress } = options;
  const have = await stat(partial).then(
    (info) => info.size,
    () => 0,
  );
  let answer: Response;
  try {
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (have > 0) headers.range = `bytes=${have}-`;
    answer = await fetch(url, { headers, signal: signal ?? null });
  } catch (cause) {
    throw networkError(url, cause, signal);
  }
  // All is there already, or the partial file is of something else: the checksum tells.
  if (answer.status === 416 && have > 0) {
    await answer.body?.cancel();
    return;
  }
  const resumed =
    answer.status === 206 && answer.headers.get('content-range')?.startsWith(`bytes ${have}-`) === true;
  if (answer.status !== 200 && !resumed) {
    await answer.body?.cancel();
    throw new EpochscopeError(
      'io',
      `${url}: expected status 200${have > 0 ? ' or 206' : ''}, got ${answer.status}`,
      {
        file: url,
        got: answer.status,
      },
    );
  }
  let done = resumed ? have : 0;
  const length = Number(answer.headers.get('content-length') ?? Number.NaN);
  const total = Number.isSafeInteger(length) && length > 0 ? done + length : file.bytes;
  const limit = file.bytes * MAX_GROWTH + SLACK;
  const handle = await open(partial, resumed ? 'a' : 'w');
  try {
    const reader = answer.body?.getReader();
    for (let part = await reader?.read(); part && !part.done; part = await reader!.read()) {
      done += part.value.length;
      if (done > limit) {
        await reader!.cancel();
        await handle.truncate(0);
        throw new EpochscopeError(
          'format',
          `${url}: expected about ${file.bytes} bytes, the server sends more`,
          {
            file: url,
            expected: file.bytes,
          },
        );
      }
      await handle.writeFile(part.value);
      onProgress?.({ file: file.name, done, total: Math.max(total, done) });
    }
    await handle.sync();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).syscall === 'write') throw fileError(partial, cause, 'write');
    throw networkError(url, cause, signal);
  } finally {
    await handle.close();
  }
}

/** Puts the batches beside their archive and removes it. The meta file comes last: it says that all are there. */
async function unpackCifar(folder: string, archive: string): Promise<void> {
  const files = readTar(await gunzip(await readFile(archive), archive), archive);
  for (const name of [...CIFAR_FILES, CIFAR_META]) {
    const bytes = files.get(name);
    guard(bytes, 'format', () => `${archive}: expected ${name} inside`, { file: archive, expected: name });
    await folderStore(folder).write(name, bytes);
  }
  await rm(archive, { force: true });
}
