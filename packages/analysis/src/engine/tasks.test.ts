import type { Kernels } from '@epochscope/core-wasm';
import { describe, expect, it } from 'vitest';
import { buffersIn, TaskRunner } from './tasks.js';

const kernels = {} as Kernels;

describe('the task runner', () => {
  it('gives a plain function its arguments and hands out the result once', () => {
    const runner = new TaskRunner({ add: (_: Kernels, a: number, b: number) => a + b });
    runner.start(kernels, 'add', [2, 3]);
    expect(runner.step()).toEqual({ finished: true, value: 5 });
    expect(runner.step()).toEqual({ finished: true, value: undefined });
  });

  it('runs a generator in slices, telling how far it is', () => {
    let now = 0;
    const runner = new TaskRunner({
      *slow() {
        for (let i = 0; i < 3; i++) {
          const until = performance.now() + 60;
          while (performance.now() < until) now++;
          yield [i + 1, 3];
        }
        return 'done';
      },
    });
    runner.start(kernels, 'slow', []);
    expect([1, 2, 3, 4].map(() => runner.step())).toEqual([
      { finished: false, progress: [1, 3] },
      { finished: false, progress: [2, 3] },
      { finished: false, progress: [3, 3] },
      { finished: true, value: 'done' },
    ]);
    expect(now).toBeGreaterThan(0);
  });

  it('lets a dropped or failed generator clean up, and starts anew', () => {
    let cleaned = 0;
    const runner = new TaskRunner({
      *work(_: Kernels, fail: boolean) {
        try {
          yield [0, 1];
          if (fail) throw new Error('broken');
          const until = performance.now() + 60;
          while (performance.now() < until);
          yield [1, 2];
          return 1;
        } finally {
          cleaned++;
        }
      },
    });
    runner.start(kernels, 'work', [false]);
    expect(runner.step().finished).toBe(false);
    runner.drop();
    expect(cleaned).toBe(1);
    runner.start(kernels, 'work', [true]);
    expect(() => runner.step()).toThrow('broken');
    expect(cleaned).toBe(2);
    runner.drop();
    expect(cleaned).toBe(2);
  });
});

describe('buffersIn', () => {
  it('names each whole buffer once, and no shared or partly shown one', () => {
    const whole = new Float32Array(4);
    const part = new Float32Array(8).subarray(2, 4);
    const shared = new Float32Array(new SharedArrayBuffer(8));
    expect(buffersIn({ a: whole, b: [whole, part, shared], c: null, d: 'text' })).toEqual([whole.buffer]);
  });
});
