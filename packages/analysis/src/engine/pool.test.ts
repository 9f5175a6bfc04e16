import { describe, expect, it } from 'vitest';
import type { Member, RemoteKernels } from './member.js';
import { engineOver } from './over.js';

const x = { data: Float32Array.of(0, 1, 3), shape: [3, 1] as const };
const result = {
  order: Uint32Array.of(0, 1, 2),
  weights: Float32Array.of(1, 2),
  parent: Uint32Array.of(0, 1),
};

/** A pool over members without workers, that die, fail and fall silent on demand. */
function poolOf(behave: { init?: (made: number) => Promise<void>; spawn?: () => Promise<unknown> } = {}) {
  const seen = { made: 0, terminated: 0, kill: () => {}, unready: 0 };
  const spawn = async (): Promise<Member> => {
    const number = seen.made++;
    await behave.spawn?.();
    let ready = false;
    let gone = false;
    const died = new Promise<never>((_, reject) => {
      seen.kill = () => {
        gone = true;
        reject(new Error('killed'));
      };
    });
    died.catch(() => {});
    // As with a real worker, nothing answers once it is gone.
    const answer = <T>(value: T) => (gone ? new Promise<T>(() => {}) : Promise.resolve(value));
    const kernels = {
      async init() {
        await behave.init?.(number);
        ready = true;
      },
      vat() {
        if (!ready) seen.unready++;
        return answer(result);
      },
      memoryBytes: () => answer(65536),
    } as unknown as RemoteKernels;
    return {
      kernels,
      hand: (matrix) => matrix,
      died,
      hold: () => {},
      terminate: async () => {
        gone = true;
        seen.terminated++;
      },
    };
  };
  return { engine: engineOver(spawn, { threads: 1, shared: false }), seen };
}

describe('the pool', () => {
  it('starts a new worker when one died while idle, and loses no job', async () => {
    const { engine, seen } = poolOf();
    await engine.vat(x, { metric: 'euclidean' });
    seen.kill();
    expect(await engine.vat(x, { metric: 'euclidean' })).toBe(result);
    expect(seen).toMatchObject({ made: 2, terminated: 1 });
  });

  it('leaves no worker behind that could not be set up', async () => {
    const { engine, seen } = poolOf({
      init: async (number) => {
        if (number === 0) throw new Error('no wasm today');
      },
    });
    await expect(engine.vat(x, { metric: 'euclidean' })).rejects.toThrow('no wasm today');
    expect(seen.terminated).toBe(1);
    expect(await engine.vat(x, { metric: 'euclidean' })).toBe(result);
    expect(seen).toMatchObject({ made: 2, unready: 0 });
  });

  it('stops workers that were starting when it was closed', async () => {
    let started!: () => void;
    let go!: () => void;
    const starting = new Promise<void>((resolve) => {
      started = resolve;
    });
    const hold = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { engine, seen } = poolOf({
      spawn: () => {
        started();
        return hold;
      },
    });
    const job = engine.vat(x, { metric: 'euclidean' });
    await starting;
    const closing = engine.close();
    go();
    await expect(job).rejects.toMatchObject({ code: 'cancelled' });
    await closing;
    expect(seen).toMatchObject({ made: 1, terminated: 1 });
  });

  it('closes before any job, and twice', async () => {
    const { engine, seen } = poolOf();
    await engine.close();
    await engine.close();
    expect(seen.made).toBe(0);
  });
});
