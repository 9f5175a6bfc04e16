import { EpochscopeError } from '@epochscope/core-wasm';
import { describe, expect, it } from 'vitest';
import { fuzz, withAllocationLimit } from './fuzz.js';
import { PARSERS } from './fuzz-parsers.js';

// Files gone wrong by chance: whatever a parser is given, out comes a value or an EpochscopeError, at once and without
// asking for more memory than the file could fill. `npm run fuzz` goes on for a million cases.

describe('a parser of mutated files gives a value or one EpochscopeError', () => {
  it.each(PARSERS)('%s', async (name, file, rounds, read) => {
    if (name.startsWith('other: ')) await expect(read(file)).rejects.toBeInstanceOf(EpochscopeError);
    else await read(file);
    const { refused } = await fuzz(name, file, read, 1, rounds);
    // What cannot be read is named and left out of a folder, is no link of a page, and no state to go on from.
    if (!/^(folder|page|state|numbers)/.test(name)) expect(refused).toBeGreaterThan(rounds / 50);
  });

  it('is told where it throws something else, takes too long or too much', async () => {
    const bytes = new Uint8Array(50);
    const other = async () => {
      throw new TypeError('undefined is no function');
    };
    await expect(fuzz('x', bytes, other, 7, 1)).rejects.toThrow('x: seed 7: TypeError');
    const large = async () => [new Float64Array(2 ** 24), new Float64Array(2 ** 24 + 50)];
    await expect(fuzz('x', bytes, large, 7, 1)).rejects.toThrow('x: seed 7: RangeError');
  });

  it('the watch on allocations counts all there are, and is gone afterwards', async () => {
    await expect(withAllocationLimit(10, async () => new Uint8Array(11))).rejects.toThrow('more than the 10');
    const { bytes } = await withAllocationLimit(100, async () => [new Float32Array(9), Uint16Array.of(1, 2)]);
    expect(bytes).toBeGreaterThanOrEqual(36);
    expect(new Uint8Array(11).length).toBe(11);
  });
});
