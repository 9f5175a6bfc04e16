import { detectFeatures, EpochscopeError } from '@epochscope/core-wasm';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { spawnWorker } from '../engine/spawn-browser.js';
import { crc32 } from '../formats/crc32.js';
import type { Platform } from './types.js';

/** What another page wrote is taken as abandoned after this time without a change: whether it still writes is not known. */
const PATIENCE = 3600 * 1000;
/** More workers rarely help a page, and take memory each. */
const MAX_THREADS = 8;

const hex = (value: number, digits: number) => (value >>> 0).toString(16).padStart(digits, '0');
const random = () => globalThis.crypto.getRandomValues(new Uint32Array(1))[0]!;
/** Of this page or worker. */
const session = `${hex(random() & 0xffff, 4)}${hex(random(), 8)}`;
let count = random();

const nowhere = async (what: string): Promise<never> => {
  throw new EpochscopeError('unsupported', `a page has no ${what}`);
};

export const platform: Platform = {
  env: () => undefined,
  threads: () => Math.min(globalThis.navigator?.hardwareConcurrency ?? 1, MAX_THREADS),
  memory() {
    // Rounded by the browser, to 8 GB at most; Firefox does not say.
    const { deviceMemory } = (globalThis.navigator ?? {}) as { deviceMemory?: number };
    return deviceMemory ? deviceMemory * 2 ** 30 : null;
  },
  processorSeconds: () => performance.now() / 1000,
  sharedMemory: () => detectFeatures().sharedMemory,
  spawnWorker,
  async loadTf(wasm) {
    const [tf, backend] = await Promise.all([
      import('@tensorflow/tfjs'),
      import('@tensorflow/tfjs-backend-wasm'),
    ]);
    // One file for all three: our kernels need SIMD as well, and tfjs's threads are turned off.
    const { href } = new URL('../assets/tfjs-backend-wasm-simd.wasm', import.meta.url);
    const names = ['', '-simd', '-threaded-simd'].map((kind) => [`tfjs-backend-wasm${kind}.wasm`, href]);
    backend.setWasmPaths((wasm ?? Object.fromEntries(names)) as never);
    return tf;
  },
  sha256() {
    const hash = sha256.create();
    return { update: (bytes) => void hash.update(bytes), digest: () => bytesToHex(hash.digest()) };
  },
  crc32,
  nextToken: () => `${session}${hex(count++, 8)}`,
  async isAbandoned(name, modified) {
    return !name.slice(0, -8).endsWith(session) && Date.now() - (await modified()) > PATIENCE;
  },
  storeOfPath: (path) =>
    nowhere(`folder ${path}; give an address (http), a File, a directory's handle or a store`),
  openPath: (path) => nowhere(`file ${path}; give an address (http) or a File`),
  async bundledDigits(kind) {
    const url =
      kind === 'images'
        ? new URL('../assets/digits-images-idx3-ubyte.gz', import.meta.url)
        : new URL('../assets/digits-labels-idx1-ubyte.gz', import.meta.url);
    const response = await fetch(url);
    if (!response.ok)
      throw new EpochscopeError(
        'io',
        `${url.href}: expected the bundled digits, got status ${response.status}`,
      );
    return new Uint8Array(await response.arrayBuffer());
  },
  downloadDataset: () => nowhere('folder to fetch a data set into; give the data set'),
};
