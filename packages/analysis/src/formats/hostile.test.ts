import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EpochscopeError } from '@epochscope/core-wasm';
import { gzipSync } from 'fflate';
import { afterEach, describe, expect, it } from 'vitest';
import { readTable } from '../matrices/table.js';
import { setReadLimits } from './budget.js';
import { parseJson, shown } from './json.js';
import { encodeNpz, readNpz } from './npz.js';
import { encodeSafetensors, readSafetensors, readSafetensorsHeader } from './safetensors.js';
import { bytesSource } from './source.js';
import { readTfjsModel } from './tfjs.js';
import { readTorch } from './torch/index.js';

const fixture = (name: string) =>
  new Uint8Array(
    readFileSync(fileURLToPath(new URL(`../../../../tests/fixtures/hostile/${name}`, import.meta.url))),
  );
const text = (value: string) => new TextEncoder().encode(value);

function safetensors(header: string, data: number): Uint8Array {
  const json = text(header);
  const out = new Uint8Array(8 + json.length + data);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  return out;
}

afterEach(() => setReadLimits({}));

describe('crafted input', () => {
  it('lists that hold lists as keys of a pickle are named, not written out', async () => {
    for (const name of ['laughs.pt', 'lists.pt'])
      await expect(readTorch(bytesSource(name, fixture(name)))).rejects.toThrow('got a dict of a list');
  });

  it('JSON nested too deep to be walked is refused by the one parser', async () => {
    const deep = (n: number) => '['.repeat(n) + ']'.repeat(n);
    expect(parseJson(deep(200), 'f')).toBeInstanceOf(Array);
    expect(() => parseJson(deep(201), 'f')).toThrow('nested at most 200 deep');
    expect(parseJson(`"${'['.repeat(500)}\\""`, 'f')).toBe(`${'['.repeat(500)}"`);
    const file = safetensors(`{"a":{"dtype":"F32","shape":${deep(20_000)},"data_offsets":[0,0]}}`, 0);
    await expect(readSafetensors(bytesSource('f', file))).rejects.toThrow('nested at most 200 deep');
  });

  it('values of unknown origin are shown without calling their methods', () => {
    const trap = JSON.parse('{"toString":null,"toJSON":1}');
    expect(shown(trap)).toBe('{"toString", "toJSON"}');
    expect(shown([trap, [1], 'x', null, 10n])).toBe('[{…}, […], "x", null, 10]');
    expect(shown('a'.repeat(500)).length).toBeLessThan(120);
    expect(shown(undefined)).toBe('undefined');
  });

  it('a dtype that is an object is a format error in a tfjs model', async () => {
    const json = text(
      '{"weightsManifest":[{"paths":[],"weights":[{"name":"k","shape":[3],"dtype":{"toString":null}}]}]}',
    );
    const open = async <T>(name: string, body: (source: ReturnType<typeof bytesSource>) => Promise<T>) =>
      body(bytesSource(name, json));
    const error = await readTfjsModel(open).catch((e) => e);
    expect(error).toBeInstanceOf(EpochscopeError);
    expect(error.message).toContain('got {"toString"}');
  });

  it('a tensor called __proto__ is written and read like any other', async () => {
    const data = Float32Array.of(1, 2);
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const tensors = new Map([[name, { data, shape: [2], dtype: 'float32' as const }]]);
      const back = await readSafetensors(bytesSource('f', encodeSafetensors(tensors)));
      expect([...back.keys()]).toEqual([name]);
      expect(back.get(name)!.data).toEqual(data);
      expect([...(await readNpz(bytesSource('f', encodeNpz(tensors)))).keys()]).toEqual([name]);
    }
  });

  it('a tensor of a type that is not read blocks no other, and is named where all are wanted', async () => {
    const file = safetensors(
      '{"a":{"dtype":"C64","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
      8,
    );
    const { entries, unread } = await readSafetensorsHeader(bytesSource('f', file));
    expect([[...entries.keys()], [...unread.keys()]]).toEqual([['b'], ['a']]);
    await expect(readSafetensors(bytesSource('f', file))).rejects.toThrow('tensor a: expected a dtype among');
  });

  it('what unpacks past the limit is refused before it is unpacked, and --memory is named', async () => {
    const packed = encodeNpz(new Map([['a', { data: new Float32Array(1e6), shape: [1e6] }]]), {
      compress: true,
    });
    const read = () => readNpz(bytesSource('f.npz', packed));
    expect((await read()).get('a')!.data.length).toBe(1e6);
    setReadLimits({ memory: 3e6 });
    await expect(read()).rejects.toMatchObject({ code: 'memory' });
    await expect(read()).rejects.toThrow(/array a would take 4 MB once unpacked, at most 3 MB .*--memory/);
    const table = gzipSync(text('0,1\n'.repeat(500_000)));
    await expect(readTable(bytesSource('t.csv.gz', table))).rejects.toMatchObject({ code: 'memory' });
  });

  it('a signal stops a parser at work', async () => {
    const controller = new AbortController();
    setReadLimits({ signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    const table = bytesSource('t.csv', text('1.5,2.5,3.5\n'.repeat(2_000_000)));
    await expect(readTable(table)).rejects.toMatchObject({ code: 'cancelled' });
  });
});
