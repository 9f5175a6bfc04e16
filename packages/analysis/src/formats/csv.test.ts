import { EpochscopeError } from '@epochscope/core-wasm';
import { gzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { random } from '../random.js';
import { type CsvOptions, readCsv } from './csv.js';
import { bytesSource } from './source.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (text: string | Uint8Array, options?: CsvOptions) =>
  readCsv(bytesSource('f.csv', typeof text === 'string' ? bytes(text) : text), options);
const rows = [1, -2.5, 3e-7, 4];

describe('csv', () => {
  it.each([
    ['commas', '1,-2.5\n3e-7,4\n'],
    ['no last line end', '1,-2.5\n3e-7,4'],
    ['CRLF, blanks and empty lines', ' 1 , -2.5\r\n\r\n3e-7,4.\r\n\r\n'],
    ['semicolons', '1;-2.5\n3E-7;+4'],
    ['tabs', '1\t-2.5\n3e-7\t4'],
    ['blanks, as savetxt writes them', '# a b\n1.000e+00 -2.500e+00\n3.0e-07  4.0e+00\n'],
    ['a byte order mark', '\ufeff1,-2.5\n3e-7,4'],
    ['quotes', '"1","-2.5"\n"3e-7" , 4'],
    ['quotes between blanks', '"1" "-2.5"\n3e-7   "4"'],
  ])('reads %s', async (_, text) => {
    const { matrix, columns } = await read(text);
    expect(columns).toBeNull();
    expect(matrix).toEqual({ data: Float64Array.from(rows), shape: [2, 2] });
    expect((await read(gzipSync(bytes(text)))).matrix).toEqual(matrix);
  });

  it('takes a first line without numbers for names', async () => {
    const { matrix, columns } = await read('x,"a, ""b"""\n1,2\n');
    expect(columns).toEqual(['x', 'a, "b"']);
    expect(matrix).toEqual({ data: Float64Array.of(1, 2), shape: [1, 2] });
    expect(await read('x,y\n')).toEqual({
      matrix: { data: new Float64Array(0), shape: [0, 2] },
      columns: ['x', 'y'],
    });
    expect((await read('10,20\n1,2', { header: true })).columns).toEqual(['10', '20']);
  });

  it('agrees with what was printed, over many seeded numbers', async () => {
    const r = random(0xc5f);
    const data = Float64Array.from({ length: 3000 }, () => r.normal() * 10 ** (r.below(600) - 300));
    const text = Array.from({ length: 1000 }, (_, i) => data.subarray(3 * i, 3 * i + 3).join(',')).join('\n');
    expect((await read(text)).matrix).toEqual({ data, shape: [1000, 3] });
  });

  it.each<[string, string | Uint8Array, CsvOptions | undefined, string]>([
    ['a word', '1,2\n3,x', undefined, 'line 2, column 2: expected a finite number, got "x"'],
    [
      'a word in the first line',
      '1,x\n3,4',
      undefined,
      'line 1, column 2: expected a finite number, got "x"',
    ],
    [
      'names where there are to be none',
      'a,b\n1,2',
      { header: false },
      'line 1, column 1: expected a finite number, got "a"',
    ],
    ['an empty field', '1,2\n\n3,', undefined, 'line 3, column 2: expected a finite number, got nothing'],
    [
      'an empty field after a tab',
      '1\t2\n3\t',
      undefined,
      'line 2, column 2: expected a finite number, got nothing',
    ],
    ['NaN', '1,2\nnan,3', undefined, 'line 2, column 1: expected a finite number, got "nan"'],
    ['infinity', '1\nInfinity', undefined, 'line 2, column 1'],
    ['a number beyond float64', '1\n1e999', undefined, 'got "1e999"'],
    ['hexadecimal', '1\n0x10', undefined, 'got "0x10"'],
    ['decimal commas', '1;2\n1,5;2', undefined, 'line 2, column 1: expected a finite number, got "1,5"'],
    ['a short line', '1,2\n3', undefined, 'line 2: expected 2 fields as in the first line, got 1'],
    ['a long line', 'a,b\n1,2,3', undefined, 'line 2: expected 2 fields as in the first line, got 3'],
    ['an open quote', '1\n"2', undefined, 'line 2, column 1: a quoted field does not end on its line'],
    [
      'text after a quote',
      '1,2\n"2"x,3',
      undefined,
      'line 2, column 1: expected "," after a quoted field, got "x"',
    ],
    ['nothing', '', undefined, 'expected lines of numbers, got none'],
    ['only comments', '# a\n\n', undefined, 'expected lines of numbers, got none'],
    [
      'bytes that are no UTF-8',
      Uint8Array.of(0x31, 10, 0xff, 0xfe),
      undefined,
      'line 2: expected UTF-8 text',
    ],
    [
      'a line without end',
      new Uint8Array(4_000_001).fill(49),
      undefined,
      'line 1: expected at most 4000000 bytes a line',
    ],
  ])('refuses %s, naming line and column', async (_, text, options, message) => {
    const error = await read(text, options).catch((e) => e);
    expect(error).toBeInstanceOf(EpochscopeError);
    expect(error.code).toBe('format');
    expect(error.message).toContain(message);
  });

  it('refuses a file past the limit before reading it', async () => {
    const huge = { name: 'huge.csv', size: 500_000_000, read: () => Promise.reject(new Error('was read')) };
    await expect(readCsv(huge)).rejects.toThrow('huge.csv: expected at most 400000000 bytes, got 500000000');
  });

  it('2000 seeded mutations give numbers or an EpochscopeError', async () => {
    const seed = bytes('x,"y",z\n1,2.5,-3e4\n# c\n4,"5",6\r\n');
    for (let s = 0; s < 2000; s++) {
      const r = random(0xc57, s);
      let mutated = seed.slice();
      for (let m = 0; m <= r.below(5); m++) {
        const at = r.below(mutated.length || 1);
        if (r.below(6) === 0) mutated = mutated.slice(0, at);
        else mutated[at] = bytes('",\n\r\t ;#0e.-\u00ff')[r.below(13)]!;
      }
      const outcome = await read(mutated).catch((e) => e);
      if (outcome instanceof EpochscopeError) continue;
      if (!(outcome.matrix?.data instanceof Float64Array)) throw new Error(`seed ${s}: ${outcome}`);
      expect(outcome.matrix.data.every(Number.isFinite)).toBe(true);
      expect(outcome.matrix.data.length).toBe(outcome.matrix.shape[0] * outcome.matrix.shape[1]);
    }
  });
});
