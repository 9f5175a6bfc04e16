import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EpochscopeError } from '@epochscope/core-wasm';
import { describe, expect, it } from 'vitest';
import type { OpenSibling } from './siblings.js';
import { bytesSource } from './source.js';
import { idsOfTexts, readTexts, readTokenizer } from './tokenizer.js';

// By Hugging Face's `tokenizers` in Python, with the ids that it gives (tests/fixtures/write_tokenizers.py).
const folder = fileURLToPath(new URL('../../../../tests/fixtures/tokenizers/', import.meta.url));
const expected = JSON.parse(readFileSync(`${folder}expected.json`, 'utf8')) as Record<
  string,
  { text: string; ids: number[]; bare: number[] }[]
>;
const onDisk: OpenSibling = async (name, body) =>
  body(bytesSource(name, new Uint8Array(readFileSync(folder + name))));
const holding =
  (files: Record<string, unknown>): OpenSibling =>
  async (name, body) => {
    if (!Object.hasOwn(files, name)) throw new EpochscopeError('missing', `${name} does not exist`);
    return body(bytesSource(name, new TextEncoder().encode(JSON.stringify(files[name]))));
  };
const textFile = (text: string) => readTexts(bytesSource('x.txt', new TextEncoder().encode(text)));

describe('tokenizer.json', () => {
  it.each(Object.keys(expected))('%s: ids are those of the library that wrote it', async (name) => {
    const encode = await readTokenizer(onDisk, `${name}.json`);
    for (const { text, ids, bare } of expected[name]!) {
      expect(encode(text, true), text).toEqual(ids);
      expect(encode(text, false), text).toEqual(bare);
    }
  });

  it('is refused where it is none, or of a kind that does not run', async () => {
    await expect(readTokenizer(holding({ 'tokenizer.json': [] }), 'tokenizer.json')).rejects.toThrow(
      'tokenizer.json: expected a tokenizer.json',
    );
    await expect(readTokenizer(holding({ 'a.json': { model: {} } }), 'a.json')).rejects.toThrow(
      'with a model',
    );
    const odd = { model: { type: 'BPE', vocab: { a: 0 }, merges: [] }, normalizer: { type: 'Odd' } };
    await expect(readTokenizer(holding({ 'tokenizer.json': odd }), 'tokenizer.json')).rejects.toThrow(
      /tokenizer.json: this tokenizer does not run here: .*Odd.*; save the ids that it gives as \.npy instead/,
    );
  });
});

describe('texts as ids', () => {
  const one = async (name: string, texts: string[], length?: number) =>
    idsOfTexts(texts, await readTokenizer(onDisk, `${name}.json`), 'x.txt', length);

  it('are cut to the shortest, and keep what stands around each', async () => {
    const texts = expected.wordpiece!.slice(0, 3).map(({ text }) => text);
    const rows = expected.wordpiece!.slice(0, 3).map(({ ids }) => ids);
    const least = Math.min(...rows.map(({ length }) => length));
    const { ids, cut } = await one('wordpiece', texts);
    expect(ids.shape).toEqual([3, least]);
    expect(cut).toBe(rows.filter(({ length }) => length > least).length);
    rows.forEach((row, i) => {
      expect(Array.from(ids.data as Int32Array).slice(i * least, (i + 1) * least)).toEqual([
        ...row.slice(0, least - 1),
        3,
      ]);
    });
  });

  it('of a given length; one that is shorter is named by its line', async () => {
    const texts = ['hello there', 'good day', 'so long'];
    expect((await one('letters', texts, 3)).ids.data).toEqual(Int32Array.of(8, 5, 12, 7, 15, 15, 19, 15, 0));
    await expect(one('letters', texts, 8)).rejects.toThrow(
      'x.txt: line 3 gives 7 tokens, fewer than 8 (option length)',
    );
    await expect(one('wordpiece', ['the cat sat'], 2)).rejects.toThrow(
      '2 tokens leave nothing of the text beside the 2 that the tokenizer puts around it',
    );
    await expect(one('letters', ['a', ''])).rejects.toThrow('x.txt: line 2: gives no token');
    await expect(one('letters', ['a', 'é'])).rejects.toThrow('x.txt: line 2');
  });

  it('lie one a line, in UTF-8', async () => {
    expect(await textFile('a\r\nb c\n\nd\n')).toEqual(['a', 'b c', '', 'd']);
    await expect(textFile('')).rejects.toThrow('x.txt: expected texts, one a line; it is empty');
    await expect(readTexts(bytesSource('x.txt', Uint8Array.of(0xff, 0x41)))).rejects.toThrow('UTF-8');
  });
});
