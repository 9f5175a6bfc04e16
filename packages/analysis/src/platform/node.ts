import { createHash } from 'node:crypto';
import { readFileSync, type Stats, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { formatBytes, guard } from '@epochscope/core-wasm';
import type { DownloadName } from '../datasets/checksums.js';
import { spawnWorker } from '../engine/spawn-node.js';
import { folderStore } from '../stores/folder.js';
import { zipStore } from '../stores/zip.js';
import { fileError, kindOf, openFile } from './file.js';
import type { Platform } from './types.js';
import { isAbandoned, nextToken } from './writer-token.js';

/** What the build puts beside the modules (scripts/assets.mjs). */
const ASSETS = new URL('../assets/', import.meta.url);

/** Bytes of addresses that a memory of WebAssembly's and a worker take, used or not: less ends the process without a word. */
const ADDRESSES = 26e9;

/** Throws `memory` where a limit leaves a process fewer addresses than a worker needs (Linux). */
function checkAddressSpace(): void {
  let limits = '';
  try {
    limits = readFileSync('/proc/self/limits', 'utf8');
  } catch {}
  const most = Number(/^Max address space +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  guard(
    most >= ADDRESSES,
    'memory',
    () =>
      `a limit leaves this process ${formatBytes(most)} of addresses ("ulimit -v"), and WebAssembly takes ${formatBytes(ADDRESSES)} of them, used or not: raise it, "ulimit -v unlimited"; a control group limits memory itself`,
    { needed: ADDRESSES, available: most },
  );
}

const openPath = async (path: string) => {
  try {
    return openFile(path, path);
  } catch (cause) {
    throw fileError(path, cause);
  }
};

export const platform: Platform = {
  env: (name) => process.env[name],
  threads() {
    // Slurm without control groups leaves a task all processors to see, and gives it fewer.
    const given = Number(process.env.SLURM_CPUS_PER_TASK || process.env.SLURM_CPUS_ON_NODE || Number.NaN);
    const available = availableParallelism();
    return given >= 1 ? Math.min(Math.trunc(given), available) : available;
  },
  memory() {
    // A control group's limit; Slurm's, where it sets none.
    const constrained = process.constrainedMemory?.() ?? 0;
    const slurm = Number(process.env.SLURM_MEM_PER_NODE) * 2 ** 20;
    const limits = [totalmem(), constrained, slurm].filter((bytes) => bytes > 0 && bytes < 2 ** 53);
    return Math.min(...limits);
  },
  processorSeconds() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
  sharedMemory: () => typeof SharedArrayBuffer === 'function',
  async spawnWorker() {
    checkAddressSpace();
    // Node's own workers fail without it, in words of their own.
    guard(
      typeof SharedArrayBuffer === 'function',
      'unsupported',
      'SharedArrayBuffer is missing here, and Node starts no worker without it: what is loaded before (NODE_OPTIONS) must leave it in place',
    );
    return spawnWorker();
  },
  async loadTf(wasm) {
    // Its CommonJS builds in Node, whose exports are one object, its ES modules in a bundle.
    const [tf, backend] = (
      await Promise.all([import('@tensorflow/tfjs'), import('@tensorflow/tfjs-backend-wasm')])
    ).map((module) => (module as { default?: unknown }).default ?? module) as [
      unknown,
      { setWasmPaths(paths: unknown): void },
    ];
    backend.setWasmPaths(wasm ?? fileURLToPath(ASSETS));
    return tf;
  },
  sha256() {
    const hash = createHash('sha256');
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') };
  },
  crc32: (bytes) => crc32(bytes),
  nextToken,
  isAbandoned,
  async storeOfPath(path, options) {
    let info: Stats | undefined;
    try {
      info = statSync(path, { throwIfNoEntry: false });
    } catch (cause) {
      throw fileError(path, cause);
    }
    // It stays open for as long as its store is used; Node closes it with the process.
    if (info?.isFile() && path.endsWith('.zip')) return zipStore(await openPath(path));
    guard(
      !info || info.isDirectory(),
      'io',
      () => `${path} is ${kindOf(info!)}, expected a folder or a .zip`,
      { path },
    );
    return folderStore(path, options);
  },
  openPath,
  bundledDigits: (kind) =>
    readFile(fileURLToPath(new URL(`digits-${kind}-idx${kind === 'images' ? 3 : 1}-ubyte.gz`, ASSETS))),
  downloadDataset: async (name, cacheDir, options) =>
    (await import('../datasets/download.js')).downloadDataset(name as DownloadName, cacheDir, options),
};
