import { mergeSelection, type Selection } from '../selection.js';

/** Everything the address bar holds. */
export interface AppState {
  run: string | null;
  selection: Selection;
  /** Beside it: another snapshot of the run, or another run. */
  versus: { kind: 'snapshot' | 'run'; value: string } | null;
  /** Results not shown, by method. */
  hidden: readonly string[];
  /** Text that layers' names are filtered by. */
  find: string;
}

export const START: AppState = { run: null, selection: {}, versus: null, hidden: [], find: '' };

/** As the part after "#": only what differs from the start, in a fixed order. */
export function toHash({ run, selection, versus, hidden, find }: AppState): string {
  const fields: [string, string | number | null | undefined][] = [
    ['run', run],
    ['snapshot', selection.snapshot],
    ['layer', selection.layer],
    ['class', selection.class],
    ['sample', selection.sample],
    ['unit', selection.unit],
    ['versus', versus && `${versus.kind}:${versus.value}`],
    ['hide', hidden.join(',')],
    ['find', find],
  ];
  return fields
    .filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(value!).replace(/%3A/g, ':').replace(/%2C/g, ',')}`)
    .join('&');
}

/** The inverse. What is not understood is left out: an address is typed by people. */
export function fromHash(hash: string): AppState {
  const fields = new URLSearchParams(hash.replace(/^#/, '').replace(/\+/g, '%2B'));
  const text = (name: string) => fields.get(name) || null;
  const whole = (name: string) =>
    /^\d{1,9}$/.test(fields.get(name) ?? '') ? Number(fields.get(name)) : null;
  const versus = /^(snapshot|run):(.+)$/.exec(fields.get('versus') ?? '');
  const selection = {
    snapshot: text('snapshot'),
    layer: text('layer'),
    class: whole('class'),
    sample: whole('sample'),
    unit: whole('unit'),
  };
  return {
    run: text('run'),
    selection: Object.fromEntries(Object.entries(selection).filter(([, value]) => value !== null)),
    versus: versus && { kind: versus[1] as 'snapshot' | 'run', value: versus[2]! },
    hidden: (fields.get('hide') ?? '').split(',').filter(Boolean),
    find: fields.get('find') ?? '',
  };
}

/** The one state of the page. Fires `change` after every difference. */
export class Store extends EventTarget {
  constructor(public state: AppState = START) {
    super();
  }
  set(change: Partial<AppState>): void {
    const next = { ...this.state, ...change };
    if ((Object.keys(change) as (keyof AppState)[]).every((key) => next[key] === this.state[key])) return;
    this.state = next;
    this.dispatchEvent(new Event('change'));
  }
  select(change: Selection): void {
    this.set({ selection: mergeSelection(this.state.selection, change) });
  }
}

/** Keeps the address bar and the store the same; returns how to stop. */
export function bindHash(store: Store, place: Window = window): () => void {
  const write = () => {
    const hash = toHash(store.state);
    // Replaced, not pushed: a playback of 100 snapshots must not take 100 steps back.
    if (place.location.hash.slice(1) !== hash)
      place.history.replaceState(
        null,
        '',
        hash ? `#${hash}` : place.location.pathname + place.location.search,
      );
  };
  const read = () => store.set(fromHash(place.location.hash));
  read();
  store.addEventListener('change', write);
  place.addEventListener('hashchange', read);
  return () => {
    store.removeEventListener('change', write);
    place.removeEventListener('hashchange', read);
  };
}
