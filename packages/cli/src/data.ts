import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  type Dataset,
  DOWNLOADS,
  type DownloadName,
  downloadDataset,
  openDataset,
} from '@epochscope/analysis/models';
import type { Output } from './output.js';
import { refuseGiven } from './usage.js';

/** Where data sets are kept that are fetched, unless --download names a folder. */
export const cacheFolder = () => join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'epochscope');

/** Fetches a data set, checksums checked, into `<folder>/<name>` unless it is there already. Answers that folder. */
export async function fetchDataset(
  name: DownloadName,
  folder: string | undefined,
  output: Output,
): Promise<string> {
  const progress = output.progress(`Fetching ${name}`);
  try {
    return await downloadDataset(name, folder ?? cacheFolder(), {
      signal: output.signal,
      onProgress: ({ file, done, total }) => progress.update(done, total, file),
    });
  } finally {
    progress.stop();
  }
}

/** "bundled", a folder, or the name of a data set that can be fetched; a folder of that name comes first. */
export async function openData(
  where: string,
  { download }: { download?: string },
  output: Output,
): Promise<Dataset> {
  const isFolder = await stat(where).then(
    (info) => info.isDirectory(),
    () => false,
  );
  const fetches = !isFolder && Object.hasOwn(DOWNLOADS, where);
  if (!fetches)
    refuseGiven(
      { '--download': download },
      `goes with --data ${Object.keys(DOWNLOADS).join(' or ')}, got --data ${where}`,
    );
  return openDataset(fetches ? await fetchDataset(where as DownloadName, download, output) : where);
}
