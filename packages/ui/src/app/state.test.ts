import { describe, expect, it } from 'vitest';
import { coverageOf } from './coverage.js';
import { type AppState, fromHash, START, Store, toHash } from './state.js';

describe('the address', () => {
  const full: AppState = {
    run: 'a run/ü&=#',
    selection: { snapshot: 'epoch-0010', layer: 'P1@3', class: 4, sample: 59_999, unit: 0 },
    versus: { kind: 'snapshot', value: 'step:12' },
    hidden: ['change', 'activity'],
    find: 'C 1+',
  };
  it('holds the whole state, and nothing at the start', () => {
    expect(fromHash(toHash(full))).toEqual(full);
    expect(fromHash(`#${toHash(full)}`)).toEqual(full);
    expect(toHash(START)).toBe('');
    expect(fromHash('')).toEqual(START);
    expect(toHash(full)).toContain('versus=snapshot:step:12');
  });
  it('leaves out what it does not understand', () => {
    expect(fromHash('class=-1&sample=1e9&unit=x&versus=planet:mars&foo=1&layer=')).toEqual(START);
  });
  it('keeps class 0 and unit 0, and drops what was let go', () => {
    expect(toHash({ ...START, selection: { class: 0, unit: 0, sample: null } })).toBe('class=0&unit=0');
  });
});

describe('Store', () => {
  it('tells of a difference, and not of the same again', () => {
    const store = new Store();
    let changes = 0;
    store.addEventListener('change', () => changes++);
    store.select({ layer: 'S5', snapshot: 'init' });
    store.select({ layer: 'S5' });
    store.set({ find: '' });
    expect(changes).toBe(1);
    store.select({ layer: null });
    expect(store.state.selection).toEqual({ layer: null, snapshot: 'init' });
    // An event's other fields are no selection.
    store.select({ position: 3 } as object);
    expect(store.state.selection).not.toHaveProperty('position');
  });
});

describe('coverageOf', () => {
  it('finds layer and snapshot in panels, with the headline of methods it knows', () => {
    expect(
      coverageOf({
        method: 'tendency',
        parameters: { layer: 'X', snapshot: 'no' },
        thinning: { reference: { layer: 'X', snapshot: 'no' } },
        panels: [
          { snapshot: { id: 'init' }, layer: 'S5', blocks: { count: 1 }, order: { $array: 'a.npy' } },
          { snapshot: { id: 'epoch-0001' }, layer: 'S5', blocks: { count: 10 } },
        ],
      }),
    ).toEqual([
      { layer: 'S5', snapshot: 'init', figure: '1', text: '1 block' },
      { layer: 'S5', snapshot: 'epoch-0001', figure: '10', text: '10 blocks' },
    ]);
  });
  it('takes both ends of a change, and the snapshot of an object around', () => {
    const places = (outline: object) => coverageOf(outline).map((c) => `${c.layer}@${c.snapshot}`);
    expect(
      places({ method: 'change', from: { id: 'a' }, to: { id: 'b' }, tensors: [{ layer: 'C1' }] }),
    ).toEqual(['C1@a', 'C1@b']);
    expect(
      places({ method: 'new', items: [{ snapshot: 'a', layers: [{ layer: 'C1' }, { layer: 'C2' }] }] }),
    ).toEqual(['C1@a', 'C2@a']);
    expect(
      places({ method: 'tracks', snapshots: [{ id: 'a' }, { id: 'b' }], updates: [{ layer: 'C1' }] }),
    ).toEqual(['C1@a', 'C1@b']);
  });
  it('finds nothing in what is not a result', () => {
    for (const odd of [null, 3, 'x', [], {}, { layer: 3, snapshot: {} }, { layer: 'C1' }])
      expect(coverageOf(odd)).toEqual([]);
    const deep: Record<string, unknown> = {};
    deep.self = deep;
    expect(coverageOf(deep)).toEqual([]);
  });
});
