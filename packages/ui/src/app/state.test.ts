import { describe, expect, it } from 'vitest';
import { type AppState, fromHash, START, Store, toHash } from './state.js';

describe('the address', () => {
  const full: AppState = {
    run: 'a run/ü&=#',
    tab: 'modules/fine',
    selection: {
      snapshot: 'epoch-0010',
      layer: 'P1@3',
      class: 4,
      sample: 59_999,
      unit: 0,
      cluster: 2,
      round: 1,
    },
    located: 'my digit',
    versus: { kind: 'snapshot', value: 'step:12' },
    block: 27,
    mode: 'vat',
    marks: 'correct',
    zoom: [10, 200],
    ownScale: true,
    ownOrder: true,
    theme: 'dark',
  };
  it('holds the whole state, and nothing at the start', () => {
    expect(fromHash(toHash(full))).toEqual({ state: full, problems: [] });
    expect(fromHash(`#${toHash(full)}`).state).toEqual(full);
    expect(toHash(START)).toBe('');
    expect(fromHash('')).toEqual({ state: START, problems: [] });
    expect(toHash(full)).toContain('tab=modules/fine');
    expect(toHash(full)).toContain('block=AB');
    expect(toHash(full)).toContain('versus=snapshot:step:12');
  });
  it('leaves out what it does not understand, and says each of it', () => {
    const { state, problems } = fromHash(
      'class=-1&sample=1e9&unit=x&versus=planet:mars&foo=1&layer=&zoom=9-3&theme=pink&block=3&mode=3d&marks=red',
    );
    expect(state).toEqual(START);
    for (const name of [
      'class',
      'sample',
      'unit',
      'versus',
      'foo',
      'zoom',
      'theme',
      'block',
      'mode',
      'marks',
    ])
      expect(problems.filter((text) => new RegExp(`^“?${name}\\b`).test(text)).length, name).toBe(1);
    expect(problems.length).toBe(10);
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
    store.set({ tab: 'story' });
    expect(changes).toBe(1);
    store.select({ layer: null });
    expect(store.state.selection).toEqual({ layer: null, snapshot: 'init' });
    // An event's other fields are no selection.
    store.select({ position: 3 } as object);
    expect(store.state.selection).not.toHaveProperty('position');
  });
  it('a block is one of a picture: another layer or snapshot has others', () => {
    const store = new Store();
    store.set({ block: 2 });
    store.select({ sample: 1 });
    expect(store.state.block).toBe(2);
    store.select({ layer: 'F5' });
    expect(store.state.block).toBeNull();
    store.undo();
    expect(store.state.block).toBe(2);
  });
  it('takes back one change after the other, but not the steps of playing', () => {
    const store = new Store();
    store.set({ tab: 'clusters' });
    store.select({ sample: 3 });
    for (const snapshot of ['a', 'b', 'c']) store.select({ snapshot }, 'replace');
    expect(store.canUndo).toBe(true);
    store.undo();
    expect(store.state.selection.sample).toBeUndefined();
    expect(store.state.tab).toBe('clusters');
    store.undo();
    expect(store.state).toEqual(START);
    store.undo();
    expect(store.canUndo).toBe(false);
  });
});
