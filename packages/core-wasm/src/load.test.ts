import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { detectFeatures, loadKernels } from './load.js';
import { Arena } from './memory.js';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('loading', () => {
  it('works on a private and on a shared memory', async () => {
    for (const shared of [false, true]) {
      const kernels = await loadKernels({ shared });
      expect(kernels.shared).toBe(shared);
      expect(kernels.memory.buffer instanceof SharedArrayBuffer).toBe(shared);
    }
  });

  it('says that relaxed SIMD is here exactly where its build is valid', () => {
    const bytes = readFileSync(new URL('../dist/wasm/kernels-relaxed.wasm', import.meta.url));
    expect(detectFeatures().relaxedSimd).toBe(WebAssembly.validate(bytes));
    // Node 20 has it behind a flag.
    const script = `
      import { readFileSync } from 'node:fs';
      import { detectFeatures } from '@epochscope/core-wasm';
      const bytes = readFileSync('dist/wasm/kernels-relaxed.wasm');
      process.stdout.write([detectFeatures().relaxedSimd, WebAssembly.validate(bytes)].join());
    `;
    const flags = process.versions.node.startsWith('20.') ? ['--experimental-wasm-relaxed-simd'] : [];
    const run = spawnSync(process.execPath, [...flags, '--input-type=module', '-e', script], {
      cwd: new URL('..', import.meta.url),
      encoding: 'utf8',
    });
    expect(run.stdout).toBe('true,true');
  });

  it('finds SIMD here, and says clearly when it, or relaxed SIMD, is missing', async () => {
    expect(detectFeatures()).toMatchObject({ simd: true, sharedMemory: true });
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    expect(detectFeatures().simd).toBe(false);
    vi.resetModules();
    const fresh = await import('./load.js');
    await expect(fresh.loadKernels()).rejects.toThrow(
      'WebAssembly SIMD is missing here: Epochscope needs Node 16.4+',
    );
    vi.restoreAllMocks();
    if (!detectFeatures().relaxedSimd)
      await expect(fresh.loadKernels({ relaxed: true })).rejects.toThrow(
        'relaxed SIMD was asked for and is missing here',
      );
  });
});

describe('the arena', () => {
  const arena = () => new Arena(new WebAssembly.Memory({ initial: 2, maximum: 40 }));
  it('hands out aligned, disjoint blocks, grows, and joins what comes back', () => {
    const a = arena();
    const blocks = [100, 1, 70_000, 64, 200_000].map((bytes) => ({ pointer: a.alloc(bytes), bytes }));
    for (const { pointer } of blocks) expect(pointer % 64).toBe(0);
    const sorted = [...blocks].sort((p, q) => p.pointer - q.pointer);
    for (let i = 1; i < sorted.length; i++)
      expect(sorted[i]!.pointer).toBeGreaterThanOrEqual(sorted[i - 1]!.pointer + sorted[i - 1]!.bytes);
    for (const { pointer } of blocks) a.dealloc(pointer);
    expect(a.used).toBe(0);
    expect(a.alloc(270_000)).toBe(sorted[0]!.pointer);
  });

  it('refuses more than there is, with the figure, and stays usable', () => {
    const a = arena();
    expect(() => a.alloc(5e6)).toThrow(/needs 5 MB more WebAssembly memory/);
    expect(() => a.alloc(5e9)).toThrow(/needs 5\.0 GB more/);
    expect(a.alloc(1000)).toBeGreaterThan(0);
  });

  it('gives a scope back even when it throws, and refuses to free twice', () => {
    const a = arena();
    expect(() =>
      a.scope((alloc) => {
        alloc(1000);
        throw new Error('x');
      }),
    ).toThrow('x');
    expect(a.used).toBe(0);
    const pointer = a.alloc(10);
    a.dealloc(pointer);
    expect(() => a.dealloc(pointer)).toThrow('not allocated');
  });
});
