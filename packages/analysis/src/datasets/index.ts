import { EpochscopeError } from '@epochscope/core-wasm';
import { platform } from '#platform';
import { type Place, storeOf } from '../stores/of.js';
import type { DownloadName } from './checksums.js';
import { cifar10Folder } from './cifar10.js';
import type { DownloadOptions } from './download.js';
import { bundledMnist, mnistFolder } from './mnist.js';
import { modularAddition, modulusOf } from './modular-addition.js';
import type { Dataset } from './types.js';

export { DOWNLOADS, type DownloadName, type RemoteFile } from './checksums.js';
export { cifar10Folder } from './cifar10.js';
export type { DownloadOptions, DownloadProgress } from './download.js';
export { bundledMnist, mnistFolder } from './mnist.js';
export { modularAddition } from './modular-addition.js';
export type { Dataset, Split } from './types.js';

/** "bundled", "modular-addition:59", or where the IDX files of MNIST or the batches of CIFAR-10 lie, told by their names. Throws `missing`, `format`, `argument`. */
export async function openDataset(where: Place): Promise<Dataset> {
  if (where === 'bundled') return bundledMnist();
  const modulus = modulusOf(where);
  if (modulus !== null) return modularAddition(modulus);
  const store = await storeOf(where);
  const entries = await store.list('');
  if (!entries.length)
    throw new EpochscopeError('missing', `${store.name} does not exist or holds nothing`, {
      path: store.name,
    });
  return entries.some(({ name }) => name.startsWith('data_batch_'))
    ? cifar10Folder(store)
    : mnistFolder(store);
}

/**
 * Fetches a data set into `<cacheDir>/<name>/` and returns that folder, for `openDataset`. A file already there with the right content is
 * not fetched again; one cut off is resumed. Each file's SHA-256 is checked before it takes its name. Node only.
 * Throws `io` (no mirror answered; all reasons are named), `format` (wrong content: the partial file is removed), `cancelled`,
 * `unsupported` in a page. Memory: one file packed and unpacked; CIFAR-10 about 0.7 GB.
 */
export const downloadDataset = (
  name: DownloadName,
  cacheDir: string,
  options: DownloadOptions = {},
): Promise<string> => platform.downloadDataset(name, cacheDir, options);
