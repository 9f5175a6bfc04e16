import { readdir } from 'node:fs/promises';
import { fileError } from '../formats/file-source.js';
import { cifar10Folder } from './cifar10.js';
import { bundledMnist, mnistFolder } from './mnist.js';
import type { Dataset } from './types.js';

export { DOWNLOADS, type DownloadName, type RemoteFile } from './checksums.js';
export { cifar10Folder } from './cifar10.js';
export { type DownloadOptions, type DownloadProgress, downloadDataset } from './download.js';
export { bundledMnist, mnistFolder } from './mnist.js';
export type { Dataset, Split } from './types.js';

/** "bundled", or a folder of IDX files or CIFAR-10 batches, told by what it holds. Throws `missing`, `format`. */
export async function openDataset(where: string): Promise<Dataset> {
  if (where === 'bundled') return bundledMnist();
  const names = await readdir(where).catch((cause) => {
    throw fileError(where, cause);
  });
  return names.some((name) => name.startsWith('data_batch_')) ? cifar10Folder(where) : mnistFolder(where);
}
