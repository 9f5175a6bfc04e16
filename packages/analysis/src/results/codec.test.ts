import { describe, expect, it } from 'vitest';
import { readNpy } from '../formats/npy.js';
import { bytesSource } from '../formats/source.js';
import { decodeInline, decodeResult, encodeInline, encodeResult } from './codec.js';
import type { ResultBase } from './types.js';

const result: ResultBase & Record<string, unknown> = {
  format: 'epochscope-result/1',
  method: 'test',
  name: 'default',
  tool: { name: 't', version: '1' },
  input: { source: 'x', sha256: {} },
  parameters: {},
  seeds: {},
  seconds: 1,
  panels: [{ order: Uint32Array.of(2, 0, 1) }, { order: new Uint32Array(0), image: Uint8Array.of(9) }],
};

describe('encodeResult', () => {
  it('names arrays after their place, and decodes in memory, with no disk', async () => {
    const { json, arrays } = encodeResult(result);
    expect([...arrays.keys()]).toEqual(
      ['panels.0.order.npy', 'panels.1.order.npy', 'panels.1.image.npy'].map((name) => `data/${name}`),
    );
    expect(JSON.parse(json).panels[0]).toEqual({ order: { $array: 'data/panels.0.order.npy' } });
    const asked: string[] = [];
    const back = await decodeResult(json, async (file) => {
      asked.push(file);
      return (await readNpy(bytesSource(file, arrays.get(file)!))).data;
    });
    expect(back).toEqual(result);
    expect(asked.sort()).toEqual([...arrays.keys()].sort());
  });

  it('asks for no path and refuses another version', async () => {
    const load = () => {
      throw new Error('was asked');
    };
    for (const $array of ['../x.npy', '/etc/x', 'a/b/c', 'a\\b', '', '..', 7]) {
      const json = JSON.stringify({ ...result, panels: { $array } });
      await expect(decodeResult(json, load, 'r.json')).rejects.toThrow("r.json: expected an array's path");
    }
    await expect(decodeResult('{"format":"epochscope-result/2"}', load)).rejects.toThrow(
      'expected format "epochscope-result/1", got "epochscope-result/2"',
    );
  });

  it('refuses cycles and endless nesting instead of running out of stack', async () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(() => encodeInline({ ...result, parameters: cycle })).toThrow('expected at most 64 levels');
    const deep = `{"format":"epochscope-result/1","method":"m","a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    await expect(decodeInline(deep)).rejects.toThrow('at most 64 levels');
  });
});
