import { alignedView } from '@epochscope/analysis/results';
import {
  ACTIVITY_DEFAULTS,
  CHANGE_DEFAULTS,
  DIFFERENCE_DEFAULTS,
  FEATURES_DEFAULTS,
  GEOMETRY_DEFAULTS,
  MODULES_DEFAULTS,
  PATH_DEFAULTS,
  PRUNE_DEFAULTS,
  TENDENCY_DEFAULTS,
} from '@epochscope/analysis/workflows';
import { describe, expect, it } from 'vitest';
import { tendencyResult } from '../gallery/tendency.js';
import { duration } from './jobs.js';
import { commandOf, METHODS, methodOf, optionsOf, tabOfMethod } from './methods.js';
import { blockContents, letterOf, meanImage, placesIn, sampleName, thousands } from './model.js';
import { apart, membersCsv, shownThumbs } from './placed.js';
import { faintNote, headline, isFaint, oneForEach, ruleSentence, type StoryFacts } from './story.js';

const result = tendencyResult();
const { labels, classes } = result.samples;
const row = result.panels.filter(({ layer }) => layer === 'S5');
const facts: StoryFacts = { row, labels, classes, faint: () => false };
const withBlocks = (panel: (typeof row)[number], count: number): (typeof row)[number] => ({
  ...panel,
  blocks: { ...panel.blocks, count, ranges: panel.blocks.ranges.slice(0, count) },
});

describe('the headline', () => {
  it('says the counts of the first and the last snapshot, as the rule gives them', () => {
    const [first, last] = [row[0]!, row.at(-1)!];
    const text = headline(facts);
    expect(text).toContain('Before training, ');
    expect(text).toContain('After 10 epochs, ');
    expect(headline({ ...facts, row: [withBlocks(first, 0), last] })).toMatch(
      /^Before training, no clear blocks\. After 10 epochs, ten/,
    );
    expect(headline({ ...facts, row: [withBlocks(first, 0), withBlocks(last, 0)] })).toBe(
      'Before training, no clear blocks. After 10 epochs, no clear blocks.',
    );
    // Samples too few to count are not samples without blocks.
    const few = [first, last].map((panel) => ({
      ...panel,
      blocks: {
        ...panel.blocks,
        count: 0,
        reason: 'too few samples to count blocks: 39, at least 40 are needed',
      },
    }));
    expect(headline({ ...facts, row: few })).toBe(
      'Too few samples to count blocks: 39, at least 40 are needed.',
    );
    expect(headline({ ...facts, row: few.slice(1) })).toBe('Too few samples to count blocks.');
    const [two] = [{ ...last, blocks: { ...last.blocks, count: 13 } }];
    expect(headline({ ...facts, row: [two] })).toMatch(/^13 blocks, ARI/);
  });
  it('claims a block for each class only where that is so', () => {
    const last = row.at(-1)!;
    const pure = new Uint32Array(last.n);
    last.blocks.ranges.forEach(({ start, end }, b) => {
      for (let p = start; p < end; p++) pure[last.order[p]!] = b;
    });
    const count = last.blocks.ranges.length;
    expect(count).toBeGreaterThan(2);
    expect(oneForEach({ ...last }, pure, count)).toBe(true);
    expect(
      headline({ ...facts, row: [{ ...last }], labels: pure, classes: classes!.slice(0, count) }),
    ).toMatch(/blocks: one for each (class|digit)\.$/);
    // One label of a block in three is another's: too mixed for the claim, not for the count.
    const mixed = pure.slice();
    const { start, end } = last.blocks.ranges[0]!;
    for (let p = start; p < end; p += 3) mixed[last.order[p]!] = 1;
    expect(oneForEach({ ...last }, mixed, count)).toBe(false);
    expect(headline({ ...facts, row: [{ ...last }], labels: mixed })).toMatch(/blocks, ARI \d\.\d\d\.$/);
    expect(oneForEach({ ...last }, pure, count + 1)).toBe(false);
    expect(oneForEach({ ...last }, null, 10)).toBe(false);
  });
  it('says faint where the layer’s scale draws the first as one dark square', () => {
    const first = withBlocks(row.at(-1)!, 7);
    const before = { ...first, snapshot: row[0]!.snapshot };
    const stable = (value: number) => ({ ...before, blocks: { ...before.blocks, stability: { value } } });
    const faint = (panel: object) => panel !== row.at(-1);
    expect(headline({ ...facts, row: [stable(0.9), row.at(-1)!], faint })).toContain('seven faint blocks');
    expect(headline({ ...facts, row: [stable(0.1), row.at(-1)!], faint })).toContain('seven unstable blocks');
    expect(headline({ ...facts, row: [stable(0.9), row.at(-1)!] })).toContain(', seven blocks.');
    expect(isFaint(0.4, 8)).toBe(true);
    expect(isFaint(8, 8)).toBe(false);
    expect(isFaint(0, 0)).toBe(false);
  });
  it('while training goes on, says only what is so far', () => {
    expect(headline({ ...facts, training: { epoch: 5 } })).toMatch(/blocks so far\. Epoch 5 is training\.$/);
  });
  it('agrees with the rule’s sentence, and has a note for a dark picture', () => {
    for (const panel of row) {
      const { count } = panel.blocks;
      expect(ruleSentence(panel)).toMatch(count ? new RegExp(`^${count} blocks`) : /^[A-Z]/);
    }
    expect(faintNote(0.1, 0.12, 8.5, 0)).toBe(
      'Nothing to tell apart yet: the widest gap between neighbours is 0.12, on a scale to 8.5.',
    );
    expect(faintNote(0.1, 0.12, 8.5, 7)).toContain('On a scale of its own, to 0.1');
  });
});

describe('what blocks hold', () => {
  const panel = alignedView(row.at(-1)!);
  it('counts every sample of a block once, by class, most first', () => {
    const blocks = blockContents(panel, labels);
    expect(blocks.map(({ letter }) => letter).join('')).toBe('ABCDEFGHIJ'.slice(0, blocks.length));
    for (const { start, end, classes: held } of blocks) {
      expect(held.reduce((sum, [, count]) => sum + count, 0)).toBe(end - start);
      expect([...held].sort((a, b) => b[1] - a[1]).map(([, n]) => n)).toEqual(held.map(([, n]) => n));
    }
    expect([letterOf(0), letterOf(25), letterOf(26), letterOf(701), letterOf(702)]).toEqual([
      'A',
      'Z',
      'AA',
      'ZZ',
      'AAA',
    ]);
  });
  it('finds every sample’s place', () => {
    const places = placesIn(panel);
    for (let p = 0; p < panel.n; p++) expect(places[panel.order[p]!]).toBe(p);
  });
  it('averages pictures', () => {
    const data = Uint8Array.of(0, 255, 255, 0, 51, 51);
    const mean = meanImage({ data, shape: [3, 1, 2, 1] }, { order: Uint32Array.of(2, 0, 1) } as never, 1, 3);
    expect([...mean].map((v) => Number(v.toFixed(6)))).toEqual([0.5, 0.5]);
  });
  it('writes members as a table that a spreadsheet reads', () => {
    const [block] = blockContents(panel, labels);
    const lines = membersCsv(
      { ...result.samples, names: Array.from({ length: panel.n }, (_, i) => `a "b", ${i}`) },
      panel,
      block!,
    )
      .trimEnd()
      .split('\n');
    expect(lines[0]).toBe('sample,name,class,position,block');
    expect(lines.length).toBe(1 + block!.end - block!.start);
    expect(lines[1]).toContain(`"a ""b"", ${panel.order[block!.start]}"`);
  });
  it('names samples', () => {
    expect(sampleName({ ...result.samples, classes: ['cat', 'dog'], labels: Uint32Array.of(0, 1) }, 1)).toBe(
      'sample 1, dog',
    );
    const digits = { ...result.samples, classes: [...'0123456789'], labels: Uint32Array.of(8, 5) };
    expect(sampleName(digits, 0)).toBe('digit 0, an 8');
    expect(sampleName(digits, 1)).toBe('digit 1, a 5');
    expect([thousands(999), thousands(8000), thousands(60_000)]).toEqual([
      '999',
      '8\u2009000',
      '60\u2009000',
    ]);
  });
});

describe('places', () => {
  it('pushes labels apart and keeps them inside', () => {
    for (const places of [
      [10, 11, 12],
      [96, 97, 98],
      [1, 50, 99],
    ]) {
      const out = apart(places, 5, 97);
      for (let i = 1; i < out.length; i++) expect(out[i]! - out[i - 1]!).toBeGreaterThanOrEqual(5 - 1e-9);
      expect(out.at(-1)).toBeLessThanOrEqual(97);
    }
    expect(apart([], 5, 97)).toEqual([]);
  });
  it('shows the ends and the one that is looked at', () => {
    expect(shownThumbs(5, 9, 2)).toEqual([0, 1, 2, 3, 4]);
    const shown = shownThumbs(1000, 10, 333);
    expect(shown.length).toBe(10);
    expect(shown).toContain(333);
    expect([shown[0], shown.at(-1)]).toEqual([0, 999]);
  });
  it('tells time', () => {
    expect([duration(0.2), duration(40), duration(119), duration(3600 * 3 + 60)]).toEqual([
      '1 s',
      '40 s',
      '2 min',
      '3 h 1 min',
    ]);
  });
});

describe('options of methods', () => {
  const defaults: Record<string, object> = {
    tendency: TENDENCY_DEFAULTS,
    modules: MODULES_DEFAULTS,
    change: CHANGE_DEFAULTS,
    activity: ACTIVITY_DEFAULTS,
    geometry: GEOMETRY_DEFAULTS,
    prune: PRUNE_DEFAULTS,
    difference: DIFFERENCE_DEFAULTS,
    features: FEATURES_DEFAULTS,
    path: PATH_DEFAULTS,
  };
  it.each(METHODS.map((info) => [info.workflow, info] as const))(
    '%s: the workflow’s own defaults',
    (name, info) => {
      const own = defaults[name] as Record<string, unknown>;
      for (const field of info.fields) {
        const { from, to } = own as unknown as { from: { block: number }; to: { block: number } };
        const standing = field.kind === 'ends' ? `block:${from.block},block:${to.block}` : own[field.name];
        expect(field.default, field.name).toEqual(standing);
      }
    },
  );
  it('takes what differs, as a command says it', () => {
    const info = methodOf('clusters')!;
    const options = optionsOf(info, {
      layers: 'S5, R4',
      snapshots: 'init 10',
      samples: '500',
      seed: '1',
      metric: 'cosine',
    });
    expect(options).toEqual({
      layers: ['S5', 'R4'],
      snapshots: ['init', 10],
      samples: 500,
      metric: 'cosine',
    });
    expect(commandOf(info, 'my run', options)).toBe(
      "epochscope tendency 'my run' --layers S5,R4 --snapshots init,10 --metric cosine --samples 500",
    );
    expect(commandOf(info, 'r', {})).toBe('epochscope tendency r');
  });
  it('takes the ends of a path as the command does', () => {
    const info = methodOf('path')!;
    expect(commandOf(info, 'r', {})).toBe('epochscope path r --between block:0,block:1');
    const options = optionsOf(info, { between: '12, block:3' });
    expect(options).toEqual({ from: 12, to: { block: 3 } });
    expect(commandOf(info, 'r', options)).toBe('epochscope path r --between 12,block:3');
    expect(() => optionsOf(info, { between: '12' })).toThrow('two samples or blocks');
  });
  it.each([
    ['samples', '1.5', 'whole number'],
    ['samples', '-3', 'from 2'],
    ['vatSide', '9999', 'to 4096'],
  ])('says what is wrong with %s = %s', (name, text, said) => {
    expect(() => optionsOf(methodOf('clusters')!, { [name]: text })).toThrow(said);
  });
  it('knows the tab of each method', () => {
    expect(['tendency', 'tracks', 'prune', 'seance'].map(tabOfMethod)).toEqual([
      'clusters',
      'change',
      'pruning',
      'seance',
    ]);
  });
});
