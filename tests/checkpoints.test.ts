import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type ImportOptions, importRun, memoryStore, openRun } from '@epochscope/analysis';
import { describe, expect, it } from 'vitest';

// Checkpoints as their own tools wrote them (fixtures/write_checkpoints.py, write_trainers.py), against the numbers those tools give.

const at = (path: string) => fileURLToPath(new URL(`fixtures/checkpoints/${path}`, import.meta.url));
const expected = async (folder: string) =>
  JSON.parse(await readFile(at(`${folder}/expected.json`), 'utf8')) as Record<
    string,
    Record<string, number[]>
  >;

async function imported(folder: string, options: ImportOptions = {}) {
  const store = memoryStore();
  const { layout, snapshots, notes, leftOut } = await importRun(at(folder), store, {
    keepLayout: true,
    ...options,
  });
  expect(leftOut).toEqual([]);
  const run = await openRun(store);
  return { layout, notes, ids: snapshots.map(({ id }) => id), weights: (id: string) => run.weights(id) };
}
/** First values of each tensor as its own framework has them; `digits` where it adds in another order. */
function agrees(
  got: ReadonlyMap<string, { data: ArrayLike<number | bigint> }>,
  wanted: Record<string, number[]>,
  digits = 20,
) {
  for (const [name, values] of Object.entries(wanted))
    values.forEach((value, i) => {
      expect(Number(got.get(name)?.data[i]), name).toBeCloseTo(value, digits);
    });
}

describe('checkpoints of other tools', () => {
  it.each([false, true])('torch.distributed.checkpoint (linked: %s)', async (link) => {
    const run = await imported('distcp', { link });
    expect([run.layout, run.ids]).toEqual(['PyTorch distributed', ['step-00000100', 'step-00000200']]);
    for (const [folder, wanted] of Object.entries(await expected('distcp')))
      agrees(await run.weights(folder.replace('step-', 'step-00000')), wanted);
  });

  it('pieces of tensors that two processes wrote are put together; the optimizer is not taken', async () => {
    const run = await imported('distcp-sharded');
    expect(run.notes).toEqual(['not taken: what is kept under optimizer']);
    const weights = await run.weights('last');
    expect([...weights].map(([name, { shape }]) => [name, shape.join()])).toEqual([
      ['rows.weight', '5,4'],
      ['columns.weight', '3,6'],
      ['bias', '3'],
    ]);
    agrees(weights, (await expected('distcp-sharded'))['step-10']!);
  });

  it('accelerate: a second net beside the first is a series of its own', async () => {
    const wanted = await expected('accelerate');
    const run = await imported('accelerate');
    expect(run.notes.join()).toContain('checkpoint_#/model_#.safetensors (2): another series');
    agrees(await run.weights('first'), wanted.model!);
    agrees(
      await (await imported('accelerate', { series: 'checkpoint_#/model_#.safetensors' })).weights('first'),
      wanted.model_1!,
    );
  });

  it('PEFT: adapters alone, and added to their base as merge_and_unload does', async () => {
    const alone = await imported('peft/adapters');
    expect([...(await alone.weights('first')).keys()]).toEqual([
      'transformer.h.0.attn.c_attn.lora_A.weight',
      'transformer.h.0.attn.c_attn.lora_B.weight',
    ]);
    expect(alone.notes.join()).toContain('(option base) adds them');
    const run = await imported('peft/adapters', { base: at('peft/base') });
    const wanted = await expected('peft');
    // float32 sums in another order.
    for (const step of [1, 2])
      agrees(await run.weights(`step-0000000${step}`), wanted[`checkpoint-${step}`]!, 6);
    await expect(imported('peft/adapters', { base: at('consolidated/step_1') })).rejects.toThrow(
      'the base has no weight',
    );
  });

  it('sentence-transformers: all modules are one net', async () => {
    const run = await imported('sentence');
    const names = [...(await run.weights('first')).keys()];
    expect(run.ids).toEqual(['step-00000001', 'step-00000002']);
    expect(names).toContain('2_Dense.linear.weight');
    expect(names).toContain('embeddings.word_embeddings.weight');
  });

  it('diffusers by accelerate: the net, its moving average when asked for, no optimizer or random state', async () => {
    const wanted = (await expected('diffusers')) as unknown as Record<
      string,
      Record<string, Record<string, number[]>>
    >;
    for (const [series, part] of [
      [undefined, 'unet'],
      ['unet_ema', 'unet_ema'],
    ] as const) {
      const run = await imported('diffusers', series ? { series } : {});
      expect(run.ids).toEqual(['step-00000500', 'step-00001000']);
      for (const step of [500, 1000])
        agrees(
          await run.weights(`step-${String(step).padStart(8, '0')}`),
          wanted[`checkpoint-${step}`]![part]!,
        );
      if (!series) expect(run.notes.join()).toContain('unet_ema');
    }
  });

  it('Lightning’s ModelCheckpoint: every epoch, last.ckpt beside', async () => {
    const run = await imported('lightning');
    expect([run.layout, run.ids]).toEqual(['Lightning', ['epoch-0001', 'epoch-0002', 'epoch-0003']]);
    for (const [name, weights] of Object.entries(await expected('lightning'))) {
      const got = await run.weights(`epoch-000${1 + Number(name.slice('epoch='.length))}`);
      expect(got.size).toBe(Object.keys(weights).length);
      agrees(got, weights);
    }
  });

  it('Hugging Face’s Trainer: epochs and losses of its own log', async () => {
    const run = await imported('trainer');
    expect([run.layout, run.ids]).toEqual(['Hugging Face', ['epoch-0001', 'epoch-0002']]);
    const wanted = await expected('trainer');
    for (const epoch of [1, 2])
      agrees(await run.weights(`epoch-000${epoch}`), wanted[`checkpoint-${2 * epoch}`]!);
  });

  it('DeepSpeed, ZeRO stage 2 in bfloat16: the net, not the optimizer’s parts beside it', async () => {
    const run = await imported('deepspeed');
    expect([run.layout, run.ids]).toEqual(['PyTorch', ['step-00000005', 'step-00000010']]);
    const wanted = await expected('deepspeed');
    for (const step of [5, 10]) {
      const got = await run.weights(`step-${String(step).padStart(8, '0')}`);
      expect(got.size).toBe(4);
      agrees(got, wanted[`global_step${step}`]!);
    }
  });

  it('consolidated.00.pth in folders of steps', async () => {
    const run = await imported('consolidated');
    expect(run.ids).toEqual(['step-00000001', 'step-00000002']);
    expect((await run.weights('last')).size).toBe(4);
  });

  it.each([
    ['safetensors', 'model', 'z (C64)'],
    ['PyTorch', 'net', 'z (torch.ComplexFloatStorage)'],
  ])('float8 is read, complex is left out by its name: %s', async (_, series, odd) => {
    const run = await imported('float8', { series });
    expect(run.notes.join()).toContain(odd);
    const { z: __, ...wanted } = (await expected('float8')) as unknown as Record<string, number[]>;
    agrees(await run.weights('first'), wanted);
  });
});
