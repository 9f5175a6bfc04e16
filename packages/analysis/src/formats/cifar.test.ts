import { EpochscopeError } from '@epochscope/core-wasm';
import { gzipSync } from 'fflate';
import { expect, it } from 'vitest';
import { random } from '../random.js';
import { readCifar10 } from './cifar.js';
import { readIdx } from './idx.js';
import { bytesSource } from './source.js';

it('CIFAR: 300 seeded mutations, plain and gzipped, give pictures or an EpochscopeError', async () => {
  const plain = new Uint8Array(2 * 3073).fill(3);
  for (const [name, bytes] of [
    ['plain', plain],
    ['gzipped', gzipSync(plain)],
  ] as const) {
    for (let seed = 0; seed < 300; seed++) {
      const r = random(0xc1fa, seed);
      let mutated = bytes.slice();
      for (let m = 0; m <= r.below(3); m++) {
        const at = r.below(mutated.length || 1);
        if (r.below(4) === 0) mutated = mutated.slice(0, at);
        else mutated[at] = r.below(256);
      }
      const outcome = await readCifar10(bytesSource('f', mutated)).catch((e) => e);
      if (!(outcome instanceof EpochscopeError) && !(outcome.images?.length === outcome.count * 3072))
        throw new Error(`${name}, seed ${seed}: ${outcome}`);
    }
  }
});

it('IDX and CIFAR files past the limit are refused before they are read', async () => {
  const huge = { name: 'huge', size: 2_000_000_000, read: () => Promise.reject(new Error('was read')) };
  for (const read of [readIdx, readCifar10])
    await expect(read(huge)).rejects.toThrow('huge: expected at most 1000000000 bytes, got 2000000000');
});
