import { mergeSelection, type Selection } from '../selection.js';
import { letterOf } from './letters.js';

/** Everything the address bar holds. */
export interface AppState {
  run: string | null;
  /** "story", a method ("modules"), or one of its results ("modules/fine"). */
  tab: string;
  selection: Selection;
  /** The result of `locate` whose first sample is followed: one that is none of the run's. */
  located: string | null;
  /** Beside it: another snapshot of the run, or another run. */
  versus: { kind: 'snapshot' | 'run'; value: string } | null;
  /** Block whose members are shown, in the picture of this layer and snapshot. */
  block: number | null;
  /** What the large picture shows, and what the colours along its edges mean. */
  mode: 'ivat' | 'vat';
  marks: 'class' | 'correct' | 'none';
  /** Positions shown of the large picture: from … to − 1; null for all. */
  zoom: readonly [from: number, to: number] | null;
  /** Each picture on a scale of its own, and in the order of its snapshot alone. */
  ownScale: boolean;
  ownOrder: boolean;
  /** null: as the system has it. */
  theme: 'light' | 'dark' | null;
}

export const START: AppState = {
  run: null,
  tab: 'story',
  selection: {},
  located: null,
  versus: null,
  block: null,
  mode: 'ivat',
  marks: 'class',
  zoom: null,
  ownScale: false,
  ownOrder: false,
  theme: null,
};

/** As the part after "#": only what differs from the start, in a fixed order. */
export function toHash({
  run,
  tab,
  selection,
  located,
  versus,
  block,
  mode,
  marks,
  zoom,
  ownScale,
  ownOrder,
  theme,
}: AppState): string {
  const fields: [string, string | number | null | undefined][] = [
    ['run', run],
    ['tab', tab === START.tab ? null : tab],
    ['snapshot', selection.snapshot],
    ['layer', selection.layer],
    ['class', selection.class],
    ['sample', selection.sample],
    ['unit', selection.unit],
    ['cluster', selection.cluster],
    ['round', selection.round],
    ['new', located],
    ['versus', versus && `${versus.kind}:${versus.value}`],
    ['block', block === null ? null : letterOf(block)],
    ['mode', mode === START.mode ? null : mode],
    ['marks', marks === START.marks ? null : marks],
    ['zoom', zoom?.join('-')],
    ['scale', ownScale ? 'own' : null],
    ['order', ownOrder ? 'own' : null],
    ['theme', theme],
  ];
  return fields
    .filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(
      ([name, value]) => `${name}=${encodeURIComponent(value!).replace(/%(3A|2C|2F)/g, decodeURIComponent)}`,
    )
    .join('&');
}

const NAMES =
  'run tab snapshot layer class sample unit cluster round new versus block mode marks zoom scale order theme'.split(
    ' ',
  );

/** The inverse of `letterOf`: "A" → 0, "AA" → 26; null for what is no letters. */
function blockOf(letters: string): number | null {
  if (!/^[A-Z]{1,3}$/.test(letters)) return null;
  return [...letters].reduce((sum, letter) => 26 * sum + letter.charCodeAt(0) - 64, 0) - 1;
}

/** An address read: what was understood of it, and what was not, one sentence each. */
export interface ReadAddress {
  state: AppState;
  problems: string[];
}

/** The inverse. What makes no sense is left out and said: an address is typed by people, and cut by mail programs. */
export function fromHash(hash: string): ReadAddress {
  const fields = new URLSearchParams(hash.replace(/^#/, '').replace(/\+/g, '%2B'));
  const problems: string[] = [];
  const wrong = (name: string, expected: string) =>
    problems.push(`${name}: expected ${expected}, got “${fields.get(name)!.slice(0, 40)}”`);
  const text = (name: string) => fields.get(name) || null;
  const whole = (name: string) => {
    const value = fields.get(name);
    if (value === null || value === '') return null;
    if (/^\d{1,9}$/.test(value)) return Number(value);
    wrong(name, 'a number');
    return null;
  };
  const oneOf = <T extends string>(name: string, known: readonly T[]): T | null => {
    const value = fields.get(name);
    if (value === null || value === '') return null;
    if ((known as readonly string[]).includes(value)) return value as T;
    wrong(name, known.join(' or '));
    return null;
  };
  const versus = /^(snapshot|run):(.+)$/.exec(fields.get('versus') ?? '');
  if (text('versus') && !versus) wrong('versus', 'snapshot:… or run:…');
  const block = blockOf(fields.get('block') ?? '');
  if (text('block') && block === null) wrong('block', 'A, B, …');
  const zoom = /^(\d{1,9})-(\d{1,9})$/.exec(fields.get('zoom') ?? '');
  const range = zoom ? ([Number(zoom[1]), Number(zoom[2])] as const) : null;
  const goodRange = range && range[1] - range[0] >= 2 ? range : null;
  if (text('zoom') && !goodRange) wrong('zoom', 'FROM-TO');
  const selection = {
    snapshot: text('snapshot'),
    layer: text('layer'),
    class: whole('class'),
    sample: whole('sample'),
    unit: whole('unit'),
    cluster: whole('cluster'),
    round: whole('round'),
  };
  const state: AppState = {
    run: text('run'),
    tab: text('tab') ?? START.tab,
    selection: Object.fromEntries(Object.entries(selection).filter(([, value]) => value !== null)),
    located: text('new'),
    versus: versus && { kind: versus[1] as 'snapshot' | 'run', value: versus[2]! },
    block,
    mode: oneOf('mode', ['ivat', 'vat']) ?? START.mode,
    marks: oneOf('marks', ['class', 'correct', 'none']) ?? START.marks,
    zoom: goodRange,
    ownScale: oneOf('scale', ['own']) === 'own',
    ownOrder: oneOf('order', ['own']) === 'own',
    theme: oneOf('theme', ['light', 'dark']),
  };
  for (const name of new Set(fields.keys()))
    if (!NAMES.includes(name)) problems.push(`“${name.slice(0, 40)}” is nothing this page knows`);
  return { state, problems };
}

/** How a change is kept in the browser's history: an entry of its own, or in place of the last (playing, dragging). */
export type HistoryMode = 'push' | 'replace';

const REMEMBERED = 100;

/** The one state of the page. Fires `change` after every difference; `undo` takes the last one back that was an entry of its own. */
export class Store extends EventTarget {
  private readonly past: AppState[] = [];
  /** Mode of the last change, for the address bar. */
  mode: HistoryMode = 'push';

  constructor(public state: AppState = START) {
    super();
  }
  set(change: Partial<AppState>, mode: HistoryMode = 'push'): void {
    const next = { ...this.state, ...change };
    if ((Object.keys(change) as (keyof AppState)[]).every((key) => next[key] === this.state[key])) return;
    if (mode === 'push') {
      this.past.push(this.state);
      if (this.past.length > REMEMBERED) this.past.shift();
    }
    this.mode = mode;
    this.state = next;
    this.dispatchEvent(new Event('change'));
  }
  select(change: Selection, mode: HistoryMode = 'push'): void {
    // A block is one of a picture.
    const moved = (['snapshot', 'layer'] as const).some(
      (name) => change[name] !== undefined && change[name] !== this.state.selection[name],
    );
    // One thing is followed at a time.
    const other = [change.sample, change.class, change.unit].some((one) => one !== undefined);
    this.set(
      {
        selection: mergeSelection(this.state.selection, change),
        ...(other ? { located: null } : {}),
        ...(moved ? { block: null } : {}),
      },
      mode,
    );
  }
  get canUndo(): boolean {
    return this.past.length > 0;
  }
  undo(): void {
    const before = this.past.pop();
    if (before) this.set(before, 'replace');
  }
}

/** Keeps the address bar and the store the same; `said` gets what an address held that makes no sense. Returns how to stop. */
export function bindHash(
  store: Store,
  said: (problems: string[]) => void = () => {},
  place: Window = window,
): () => void {
  let reading = false;
  const write = () => {
    if (reading) return;
    const hash = toHash(store.state);
    if (place.location.hash.slice(1) === hash) return;
    const address = hash ? `#${hash}` : place.location.pathname + place.location.search;
    if (store.mode === 'push') place.history.pushState(null, '', address);
    else place.history.replaceState(null, '', address);
  };
  const read = () => {
    const { state, problems } = fromHash(place.location.hash);
    reading = true;
    store.set(state, 'replace');
    reading = false;
    said(problems);
  };
  read();
  store.addEventListener('change', write);
  place.addEventListener('hashchange', read);
  place.addEventListener('popstate', read);
  return () => {
    store.removeEventListener('change', write);
    place.removeEventListener('hashchange', read);
    place.removeEventListener('popstate', read);
  };
}
