import { EpochscopeError } from '@epochscope/core-wasm';
import { describe, expect, it } from 'vitest';
import {
  activityOfRun,
  captureRun,
  changeOfRun,
  featuresOfRun,
  geometryOfRun,
  matrixRun,
  modulesOfRun,
  pruneOfRun,
  tendency,
  tendencyOfRun,
  tracksOfRun,
} from './index.js';
import { trainOptions } from './train/options.js';

/** As a program without types calls it. */
type Loose = (...given: unknown[]) => Promise<unknown>;
const rows = [
  [1, 2],
  [3, 4],
  [5, 7],
];

/** Code and message; fails for anything but an EpochscopeError. */
async function refusal(work: () => Promise<unknown>): Promise<string> {
  const error = await work().then(
    () => 'nothing was refused',
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(EpochscopeError);
  const { code, message } = error as EpochscopeError;
  return `${code}: ${message}`;
}

describe('wrong arguments, as a program without types may give them', () => {
  it.each([
    undefined,
    null,
    Number.NaN,
    'points.npy',
    {},
    [1, 2],
    [[1, 'a']],
    [null],
    { data: rows.flat() },
    { data: 5, shape: [1, 1] },
    { data: rows.flat(), shape: [1.5, 4] },
  ])('tendency(%j) is refused', async (x) => {
    expect(await refusal(() => (tendency as Loose)(x))).toMatch(
      /^(shape|argument): matrix|^not-finite: layer matrix/,
    );
  });

  it.each([
    [5, 'argument: tendency, options: expected an object, got 5'],
    [{ samples: 'all' }, 'argument: samples: expected how many, or a list of their numbers, got "all"'],
    [{ samples: [] }, 'argument: samples: expected how many, or a list of their numbers, got an empty list'],
    [{ labels: 'abc' }, 'argument: matrix: labels: expected one integer a row, got "abc"'],
    [{ labels: 5 }, 'argument: matrix: labels: expected one integer a row, got 5'],
    [{ classes: 5 }, 'argument: matrix: classes: expected a list of names, got 5'],
    [{ name: 5 }, 'argument: matrix: name: expected a text, got 5'],
    [{ vatSide: '9' }, 'argument: tendency: vatSide: expected a number, got "9"'],
    [{ marks: 'wrong' }, 'argument: tendency: marks: expected a list of rules, or null, got "wrong"'],
  ])('tendency(rows, %j) says what it expects', async (options, message) => {
    expect(await refusal(() => (tendency as Loose)(rows, options))).toBe(message);
  });

  it.each([
    [5, 'tendency, last argument: expected an object, got 5'],
    [{ engine: {} }, 'tendency: engine: expected what createEngine gives, got an object (Object)'],
    [
      { engine: Promise.resolve() },
      'tendency: engine: expected what createEngine gives, got a promise (await it)',
    ],
    [{ signal: 5 }, 'tendency: signal: expected an AbortSignal, got 5'],
    [{ onProgress: 'x' }, 'tendency: onProgress: expected a function, got "x"'],
    [{ onWarning: 5 }, 'tendency: onWarning: expected a function, got 5'],
    [{ parts: {} }, 'tendency: parts: expected { store, folder }, got an object (Object)'],
    [{ memoryLimit: '2GB' }, 'tendency: memoryLimit: expected a number of bytes, got "2GB"'],
  ])('tendency(rows, {}, %j) says what it expects', async (how, message) => {
    expect(await refusal(() => (tendency as Loose)(rows, {}, how))).toBe(`argument: ${message}`);
  });

  it.each(
    Object.entries({
      activityOfRun,
      captureRun,
      changeOfRun,
      featuresOfRun,
      geometryOfRun,
      modulesOfRun,
      pruneOfRun,
      tendencyOfRun,
      tracksOfRun,
    }) as [string, Loose][],
  )('%s takes a run and lists', async (_, ofRun) => {
    for (const run of [undefined, null, 5, 'my-run', matrixRun(rows)])
      expect(await refusal(() => ofRun(run))).toMatch(/^argument: .*: expected a run, as `await openRun/);
    const run = await matrixRun(rows);
    expect(await refusal(() => ofRun(run, 5))).toMatch(/^argument: \w+, options: expected an object, got 5$/);
    if (ofRun !== (pruneOfRun as Loose))
      for (const layers of [5, 'R4', [], [5]])
        expect(await refusal(() => ofRun(run, { layers }))).toMatch(
          /^argument: \w+: layers: expected a list/,
        );
    if (![pruneOfRun, changeOfRun].includes(ofRun as never))
      for (const snapshots of [5, 'last', []])
        expect(await refusal(() => ofRun(run, { snapshots }))).toMatch(
          /^argument: \w+: snapshots: expected a list/,
        );
    if (ofRun !== (captureRun as Loose))
      expect(await refusal(() => ofRun(run, { name: 5 }))).toMatch(
        /: name: expected the result's name, got 5$/,
      );
  });

  it('fills in the seed of a net that has none, and refuses nets that are none', () => {
    const given = (model: unknown) => () => trainOptions({ model: model as never });
    expect(given({ name: 'mlp' })().model).toEqual({ name: 'mlp', seed: 1 });
    for (const model of [5, null, {}, { name: 'foo' }, { name: 'mlp', seed: Number.NaN }])
      expect(given(model)).toThrow(EpochscopeError);
  });
});
