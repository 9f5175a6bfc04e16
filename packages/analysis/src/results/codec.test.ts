import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { encodeNpy, readNpy } from '../formats/npy.js';
import { bytesSource } from '../formats/source.js';
import type { TendencyResult } from '../methods/tendency/types.js';
import { memoryStore } from '../stores/memory.js';
import {
  decodeAny,
  decodeBinary,
  decodeResult,
  encodeBinary,
  encodeInline,
  outlineOf,
  splitResult,
} from './codec.js';
import { readResult, writeResult } from './store.js';
import type { ResultBase } from './types.js';

const result: ResultBase & Record<string, unknown> = {
  format: 'epochscope-result/2',
  method: 'test',
  name: 'défault',
  tool: { name: 't', version: '1' },
  input: { source: 'x', files: { 'a.npy': { sha256: 'ab' } } },
  parameters: { text: '</script>' },
  seeds: {},
  seconds: 1,
  panels: [
    { order: Uint32Array.of(2, 0, 1), odd: Uint8Array.of(1, 2, 3) },
    { order: new Uint32Array(0), image: Uint8Array.of(9), wide: Float64Array.of(0.1, -0) },
  ],
  big: BigInt64Array.of(-(2n ** 62n)),
};

describe('a result beside its arrays', () => {
  it('arrays of an older result that another writer replaced and did not live to remove go with the next', async () => {
    const store = memoryStore('run');
    await writeResult(store, 'r', result);
    const [first] = (await store.list('r')).filter(({ kind }) => kind === 'folder');
    // Killed just after it named its own arrays: those of before stand beside them, and their writer, this process, lives.
    const { json, arrays } = splitResult(result, 'data-ffffffff000000000000');
    for (const [path, array] of arrays) await store.write(`r/${path}`, [encodeNpy(array, [array.length])]);
    await store.write('r/result.json', json);
    expect((await store.list('r')).map(({ name }) => name)).toContain(first!.name);
    await Promise.all([writeResult(store, 'r', result), writeResult(store, 'r', result)]);
    await writeResult(store, 'r', result);
    expect((await store.list('r')).length).toBe(2);
    expect((await readResult(store, 'r')).name).toBe('défault');
  });

  it('names arrays after their place, and decodes in memory, with no disk', async () => {
    const { json, arrays } = splitResult(result, 'data');
    expect([...arrays.keys()]).toEqual(
      ['panels.0.order', 'panels.0.odd', 'panels.1.order', 'panels.1.image', 'panels.1.wide', 'big'].map(
        (name) => `data/${name}.npy`,
      ),
    );
    expect(JSON.parse(json).panels[0].order).toEqual({ $array: 'data/panels.0.order.npy' });
    const asked: string[] = [];
    const back = await decodeResult(json, async (file) => {
      asked.push(file);
      const array = arrays.get(file)!;
      return (await readNpy(bytesSource(file, encodeNpy(array, [array.length])))).data;
    });
    expect(back).toEqual(result);
    expect(asked.sort()).toEqual([...arrays.keys()].sort());
  });

  it('asks for no path that climbs and refuses another version', async () => {
    const load = () => {
      throw new Error('was asked');
    };
    for (const $array of ['../x.npy', '/etc/x', 'a/b/c', 'a/../b', 'a\\b', '', '..', 7]) {
      const json = JSON.stringify({ ...result, big: null, panels: { $array } });
      await expect(decodeResult(json, load, 'r.json')).rejects.toThrow("r.json: expected an array's path");
    }
    await expect(decodeResult('{"format":"epochscope-result/3"}', load)).rejects.toThrow(
      'format: expected "epochscope-result/2", got "epochscope-result/3"',
    );
  });
});

describe('a result in one file', () => {
  it('comes back bit by bit, as bytes and as text in a page, which needs no escaping', async () => {
    const bytes = encodeBinary(result);
    expect(await decodeBinary(bytes)).toEqual(result);
    expect(
      Object.is(
        ((await decodeBinary<never>(bytes)) as typeof result & { panels: { wide: Float64Array }[] })
          .panels[1]!.wide[1],
        -0,
      ),
    ).toBe(true);
    expect(await decodeAny(bytes)).toEqual(result);
    const text = encodeInline(result);
    expect(text).toMatch(/^[A-Za-z0-9+/=]+$/);
    expect(await decodeAny(text)).toEqual(result);
    expect(outlineOf(bytes).outline).toMatchObject({ method: 'test', name: 'défault' });
  });

  it('is laid out as docs/formats/result.md says', () => {
    const bytes = encodeBinary(result);
    const length = Number(new DataView(bytes.buffer).getBigUint64(8, true));
    expect((16 + length) % 8).toBe(0);
    const json = JSON.parse(new TextDecoder().decode(bytes.subarray(16, 16 + length)));
    const { $data, dtype, length: count } = json.panels[1].wide;
    expect([dtype, count, $data % 8]).toEqual(['float64', 2, 0]);
    expect(new Float64Array(bytes.buffer, 16 + length + $data, 2)[0]).toBe(0.1);
  });

  it('refuses every cut, and arrays that do not lie within', async () => {
    const bytes = encodeBinary(result);
    for (let cut = 0; cut < bytes.length - 8; cut += 7)
      await expect(decodeAny(bytes.subarray(0, cut), 'f')).rejects.toMatchObject({ code: 'format' });
    const text = (from: string, to: string) =>
      Uint8Array.from(String.fromCharCode(...bytes).replace(from, to), (c) => c.charCodeAt(0));
    await expect(decodeAny(text('"$data":16', '"$data":-8'))).rejects.toMatchObject({ code: 'format' });
    await expect(decodeAny(text('"$data":16', '"$data":99'))).rejects.toMatchObject({ code: 'format' });
    await expect(decodeAny(text('"uint32"', '"uint99"'))).rejects.toMatchObject({ code: 'format' });
  });

  it('refuses cycles and endless nesting instead of running out of stack', async () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(() => encodeInline({ ...result, parameters: cycle })).toThrow('expected at most 64 levels');
    const deep = `{"format":"epochscope-result/2","method":"m","a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    await expect(decodeAny(deep)).rejects.toThrow('nested at most 200 deep');
  });
});

describe('images of samples', () => {
  const pixels = Uint8Array.from({ length: 12 }, (_, i) => 20 * i);
  const rows = Uint32Array.of(2, 0);
  const images = {
    data: Uint8Array.from([...pixels.subarray(8, 12), ...pixels.subarray(0, 4)]),
    shape: [2, 2, 2, 1] as [number, number, number, number],
    from: { samples: 'inputs' as const, rows },
  };
  const own = { ...result, samples: { count: 2, images } };
  const run = () =>
    memoryStore('run', [
      ['run.json', new TextEncoder().encode('{}')],
      ['samples/inputs.npy', encodeNpy(pixels, [3, 2, 2, 1])],
    ]);

  it('are referred to in a run and resolved on reading, with only their rows', async () => {
    const store = run();
    await writeResult(store, 'results/test/a', own);
    const json = new TextDecoder().decode(store.files().get('results/test/a/result.json'));
    expect(JSON.parse(json).samples.images).toMatchObject({ $samples: 'inputs', shape: [2, 2, 2, 1] });
    expect([...store.files().keys()].some((path) => path.includes('images.data'))).toBe(false);
    expect(await readResult(store, 'results/test/a')).toEqual(own);
  });

  it('go with a result that is written elsewhere, or in one file', async () => {
    const store = memoryStore();
    await writeResult(store, '', own);
    expect(await readResult(store)).toEqual(own);
    expect(await decodeAny(encodeBinary(own))).toEqual(own);
  });

  it('are null where the samples are not to be had, and kept as references where asked', async () => {
    const bytes = encodeBinary(own, { samples: 'reference' });
    expect(((await decodeAny(bytes)) as typeof own).samples.images).toBeNull();
    const kept = await decodeAny(bytes, 'r', { samples: 'keep' });
    expect(encodeBinary(kept)).toEqual(bytes);
  });
});

describe('results of version 1', () => {
  const folder = fileURLToPath(new URL('../../../../tests/fixtures/results-1/', import.meta.url));
  // Blocks and what rests on them are found anew, by the rule of version 2; all else is as it was stored.
  it.each(readdirSync(folder))('%s is read as one of version 2', async (method) => {
    const old = JSON.parse(readFileSync(`${folder}${method}/result.json`, 'utf8'));
    expect(old.format).toBe('epochscope-result/1');
    const read = await readResult(`${folder}${method}`);
    expect(read.format).toBe('epochscope-result/2');
    expect(read.input.files).toEqual(
      Object.fromEntries(Object.entries(old.input.sha256).map(([path, sha256]) => [path, { sha256 }])),
    );
    const arrays: string[] = [];
    const check = (stored: unknown, now: unknown): void => {
      if (typeof stored !== 'object' || stored === null) return;
      if ('$array' in stored) {
        arrays.push(stored.$array as string);
        const bytes = readFileSync(`${folder}${method}/${stored.$array}`);
        const body = bytes.subarray(10 + bytes.readUInt16LE(8));
        const view = now as Uint8Array;
        expect(Buffer.from(view.buffer, view.byteOffset, view.byteLength)).toEqual(body);
      } else
        for (const [key, item] of Object.entries(stored))
          if (!['input', 'format', 'blocks', 'scores', 'rimScore'].includes(key))
            check(item, (now as Record<string, unknown>)[key]);
    };
    check(old, read);
    expect(arrays.length).toBeGreaterThan(0);
  });

  it('blocks of version 1 are counted anew from its tree; what needs more than that is null with the reason', async () => {
    const read = await readResult<TendencyResult>(`${folder}tendency`);
    for (const { blocks, scores, rimScore, n } of read.panels) {
      expect(blocks).toMatchObject({ count: 0, ranges: [], shareInNone: 1 });
      expect(blocks.reason).toContain(`too few samples to count blocks: ${n}`);
      expect(scores.inBlocks.ari.value).toBeNull();
      expect(rimScore.reason).toContain('version 1');
    }
  });

  it('a page’s text of version 1 is read', async () => {
    const html = readFileSync(new URL('../../../ui/examples/html/index.html', import.meta.url), 'utf8');
    const text = /<script type="application\/json" id="result">(.*?)<\/script>/s.exec(html)![1]!;
    expect(text).toContain('epochscope-result/1');
    const read = await decodeAny<ResultBase & { panels: { order: Uint32Array }[] }>(text);
    expect([...read.panels[0]!.order.subarray(0, 3)]).toEqual([3, 10, 17]);
  });

  it('pictures as levels: 0 stays 0, others are off by half a level at most, the rest is exact', async () => {
    const values = Float32Array.of(-1, 0, 0.25, 0.5);
    const weights = Float32Array.of(1 / 3, 2 / 3);
    const pictures = {
      ...result,
      panels: [{ vat: { data: values.map(Math.abs) }, weights }],
      snapshots: [{ centroidInputs: values }],
      spectra: [{ vectors: [{ right: new Float32Array(3), left: values }] }],
    };
    type Read = typeof pictures;
    const exact = await decodeBinary<Read & ResultBase>(encodeBinary(pictures));
    expect(exact.snapshots[0]!.centroidInputs).toEqual(values);
    const bytes = encodeBinary(pictures, { pictures: 'levels' });
    const read = await decodeBinary<Read & ResultBase>(bytes);
    expect(read.panels[0]!.weights).toEqual(weights);
    expect(read.spectra[0]!.vectors[0]!.right).toEqual(new Float32Array(3));
    for (const [got, want, half] of [
      [read.panels[0]!.vat.data, values.map(Math.abs), 0.5 / 255],
      [read.snapshots[0]!.centroidInputs, values, 0.5 / 127],
      [read.spectra[0]!.vectors[0]!.left, values, 0.5 / 127],
    ] as const) {
      expect(got).toBeInstanceOf(Float32Array);
      // Rounding to float32 beside the half level.
      for (let i = 0; i < want.length; i++) expect(Math.abs(got[i]! - want[i]!)).toBeLessThan(half + 1e-6);
      expect(got[1]).toBe(0);
    }
    const text = new TextDecoder('latin1').decode(bytes).replace('"step":', '"stop":');
    await expect(decodeBinary(Uint8Array.from(text, (c) => c.charCodeAt(0)))).rejects.toThrow('levels');
  });
});
