import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Output } from '../output.js';
import { type ReproduceOptions, reproduce } from './seeds.js';
import type { Experiment, ExperimentOptions } from './types.js';

const folder = mkdtempSync(join(tmpdir(), 'epochscope-seeds-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// A picture of one pixel.
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

function setUp(place: string) {
  const asked: ExperimentOptions[] = [];
  const results: unknown[] = [];
  const said: string[] = [];
  const controller = new AbortController();
  const output = {
    signal: controller.signal,
    say: (text: string) => said.push(text),
    result: (_: string, object: unknown) => results.push(object),
  } as unknown as Output;
  const experiment: Experiment = {
    describe: '',
    paper: 'A. Author, <A> title',
    about: ['Ours: `this`.'],
    run: async (options) => {
      asked.push(options);
      mkdirSync(options.output, { recursive: true });
      writeFileSync(join(options.output, 'figure-2.png'), PNG);
      return {
        parameters: { epochs: options.epochs ?? 3 },
        claims: [
          {
            id: 'shown',
            claim: 'It is so',
            where: '§1',
            paper: null,
            measured: '{value}',
            figures: { value: options.seed },
            holds: options.seed < 3,
            rule: 'under 3',
          },
          {
            id: 'apart',
            claim: 'It has no figure',
            where: '§2',
            paper: '1',
            measured: '{value:0}',
            figures: { value: 1 },
            holds: true,
            rule: 'is 1',
          },
        ],
        remarks: ['Also:\n\n| a | b |\n| --- | --- |\n| 1 | <2> |'],
        figures: [{ title: 'Figure 2', caption: 'What is seen', files: ['figure-2.png'], claims: ['shown'] }],
      };
    },
  };
  const options: ReproduceOptions = {
    output: join(folder, place),
    quick: false,
    seeds: [1, 2],
    claims: true,
    overwrite: false,
  };
  return {
    asked,
    results,
    said,
    controller,
    run: (own: Partial<ReproduceOptions> = {}) =>
      reproduce('example', experiment, { ...options, ...own }, output),
  };
}
const read = (place: string, file: string) => readFileSync(join(folder, place, file), 'utf8');

it('runs each seed in a folder of its own, and writes what they gave together', async () => {
  const { asked, results, run } = setUp('two');
  await run();
  expect(asked.map(({ seed, output }) => [seed, output])).toEqual([
    [1, join(folder, 'two', 'seed-1')],
    [2, join(folder, 'two', 'seed-2')],
  ]);
  const claims = JSON.parse(read('two', 'claims.json'));
  expect(claims).toMatchObject({ experiment: 'example', seeds: [1, 2], parameters: { epochs: 3 } });
  expect(claims.claims[0]).toMatchObject({ held: 2, figures: { value: { mean: 1.5, values: [1, 2] } } });
  expect(results).toMatchObject([{ experiment: 'example', seeds: [1, 2] }]);
  const page = read('two', 'report.html');
  expect(page).toContain('<h1>A. Author, &lt;A&gt; title</h1>');
  // The figure with its caption, then its claim; the claim without one apart.
  expect(page).toMatch(
    /Figure 2[\s\S]*data:image\/png;base64,iVBOR[\s\S]*What is seen[\s\S]*It is so[\s\S]*1\.50 ± 0\.71/,
  );
  expect(page).toMatch(/Claims without a figure[\s\S]*It has no figure/);
  expect(page).toContain('<td>&lt;2&gt;</td>');
  expect(page).toContain('Ours: <code>this</code>.');
});

it('takes over seeds that are done, adds more, and refuses what is all done', async () => {
  const first = setUp('more');
  await first.run();
  await expect(setUp('more').run()).rejects.toThrow('already holds a reproduction');
  const second = setUp('more');
  await second.run({ seeds: [1, 2, 3] });
  expect(second.asked.map(({ seed }) => seed)).toEqual([3]);
  expect(second.said.join()).toContain('seed-1 is done already');
  const { claims, seeds } = JSON.parse(read('more', 'claims.json'));
  expect(seeds).toEqual([1, 2, 3]);
  expect(claims[0].verdict).toBe('holds in 2 of 3');
  await expect(setUp('more').run({ seeds: [1, 2, 3, 4], epochs: 9 })).rejects.toThrow(
    'made with other options',
  );
  const over = setUp('more');
  await over.run({ overwrite: true });
  expect(over.asked.length).toBe(2);
});

it('runs seeds apart, as on several machines, and the whole takes them over', async () => {
  const one = setUp('at-once');
  await one.run();
  for (const seed of [2, 1]) {
    const apart = setUp('apart');
    await apart.run({ seeds: [seed], claims: false });
    expect(apart.asked.map(({ output }) => output)).toEqual([join(folder, 'apart', `seed-${seed}`)]);
    expect(existsSync(join(folder, 'apart', 'claims.json'))).toBe(false);
  }
  const whole = setUp('apart');
  await whole.run();
  expect(whole.asked).toEqual([]);
  const claims = (place: string) => ({ ...JSON.parse(read(place, 'claims.json')), seconds: 0 });
  expect(claims('apart')).toEqual(claims('at-once'));
  // Claims of seeds that are run anew are none any more.
  await setUp('apart').run({ seeds: [2], claims: false, overwrite: true });
  expect(existsSync(join(folder, 'apart', 'claims.json'))).toBe(false);
});

it('cut off after a seed goes on with the next, and writes nothing of the whole before', async () => {
  const cut = setUp('cut');
  cut.controller.abort();
  await expect(cut.run()).rejects.toThrow('cancelled');
  expect(existsSync(join(folder, 'cut', 'claims.json'))).toBe(false);
  const one = setUp('cut-2');
  await one.run({ seeds: [1] });
  rmSync(join(folder, 'cut-2', 'claims.json'));
  const rest = setUp('cut-2');
  await rest.run();
  expect(rest.asked.map(({ seed }) => seed)).toEqual([2]);
  writeFileSync(join(folder, 'cut-2', 'seed-1', 'seed.json'), '{');
  await expect(setUp('cut-2').run({ seeds: [1, 2, 3] })).rejects.toThrow('is not JSON; remove it');
});
