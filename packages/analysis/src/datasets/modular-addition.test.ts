import { describe, expect, it } from 'vitest';
import { modularAddition, openDataset } from './index.js';

describe('modular addition', () => {
  it.each([2, 5, 23, 59])('holds every pair of %i numbers once, as one-hot tokens with their sum', (p) => {
    const { train, test, shape, classes } = modularAddition(p);
    expect(shape).toEqual([3, p + 1, 1]);
    expect(classes).toHaveLength(p);
    expect(train.count + test.count).toBe(p * p);
    const seen = new Set<string>();
    for (const { images, labels, count } of [train, test])
      for (let i = 0; i < count; i++) {
        const tokens = [0, 1, 2].map((row) => {
          const bytes = [...images.subarray((3 * i + row) * (p + 1), (3 * i + row + 1) * (p + 1))];
          expect(bytes.filter((byte) => byte === 255)).toHaveLength(1);
          expect(bytes.filter((byte) => byte === 0)).toHaveLength(p);
          return bytes.indexOf(255);
        });
        const [a, b, equals] = tokens as [number, number, number];
        expect(equals).toBe(p);
        expect(labels[i]).toBe((a + b) % p);
        seen.add(`${a} ${b}`);
      }
    expect(seen.size).toBe(p * p);
  });

  it('trains on half of them, and shows the first twenty sums in turn', () => {
    const { train, test } = modularAddition(59);
    expect(train.count).toBe(Math.round(0.5 * 59 * 59));
    expect([...test.labels.subarray(0, 40)]).toEqual(Array.from({ length: 40 }, (_, i) => i % 20));
    expect(Math.max(...test.labels.subarray(0, 500))).toBe(19);
  });

  it('is opened by its name, and refuses a p that bytes cannot hold', async () => {
    expect((await openDataset('modular-addition:7')).source).toBe('modular-addition:7');
    expect((await openDataset('modular-addition')).classes).toHaveLength(59);
    await expect(openDataset('modular-addition:1')).rejects.toMatchObject({ code: 'argument' });
    expect(() => modularAddition(252)).toThrow(
      'modular addition: expected p to be a whole number 2 … 251, got 252',
    );
  });
});
