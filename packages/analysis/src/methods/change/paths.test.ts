import { expect, it } from 'vitest';
import { choosePaths } from './index.js';
import type { TensorChange } from './types.js';

const tensor = (name: string, delta: number[], shape = [delta.length]): TensorChange => ({
  name,
  layer: name.split('.')[0]!,
  kind: 'dense',
  shape,
  before: Float32Array.from(delta, () => 1),
  delta: Float32Array.from(delta),
  statistics: {} as never,
});

it('largest: per layer over its tensors, the earlier first among equals, all when there are fewer', () => {
  const tensors = [tensor('A.kernel', [1, -5, 5, 0]), tensor('A.bias', [-6, 5]), tensor('B.kernel', [0, 0])];
  expect(choosePaths(tensors, { rule: 'largest', k: 3 })).toEqual([
    { tensor: 'A.bias', index: 0 },
    { tensor: 'A.kernel', index: 1 },
    { tensor: 'A.kernel', index: 2 },
    { tensor: 'B.kernel', index: 0 },
    { tensor: 'B.kernel', index: 1 },
  ]);
  expect(choosePaths(tensors, { rule: 'largest', k: 0 })).toEqual([]);
  expect(choosePaths([], { rule: 'largest', k: 3 })).toEqual([]);
});

it('index: a flat index or a place', () => {
  const tensors = [tensor('A.kernel', [1, 2, 3, 4, 5, 6], [2, 3])];
  const chosen = [
    { tensor: 'A.kernel', at: [5] },
    { tensor: 'A.kernel', at: [1, 0] },
  ];
  expect(choosePaths(tensors, { rule: 'index', chosen }).map(({ index }) => index)).toEqual([5, 3]);
});
