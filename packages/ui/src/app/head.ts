import { html, nothing, type TemplateResult } from 'lit';
import { sentence, snapshotTitle } from '../styles.js';
import type { EsDashboard } from './es-dashboard.js';
import { logo, moreIcon, themeIcon } from './icons.js';
import { METHODS, methodOf, tabOfMethod } from './methods.js';
import { nameOfRun } from './model.js';
import type { Page } from './page.js';
import { offered } from './shown.js';
import type { RunInfo } from './source.js';

export interface Tab {
  id: string;
  title: string;
  /** Nothing is computed for it yet. */
  empty: boolean;
}

/** The story, a tab a method, and one for each method this page does not know. A single matrix has those of its results. */
function tabsOf({ manifest, results }: RunInfo): Tab[] {
  const has = (methods: readonly string[]) => results.some(({ method }) => methods.includes(method));
  const known = METHODS.filter(({ methods }) => manifest || has(methods)).map(({ id, tab, methods }) => ({
    id,
    title: tab,
    empty: !has(methods),
  }));
  const more = [...new Set(results.map(({ method }) => method))]
    // New samples are followed through the others.
    .filter((method) => method !== 'locate' && !methodOf(tabOfMethod(method)))
    .map((id) => ({ id, title: sentence(id), empty: false }));
  // A lone result of another method than cluster tendency has no story.
  const story =
    manifest || has(['tendency'])
      ? [{ id: 'story', title: manifest ? 'Story' : 'Picture', empty: false }]
      : [];
  return [...story, ...known, ...more];
}

/** Which run, the tabs, and what concerns the whole page. */
function template(page: Page, host: EsDashboard): TemplateResult {
  const { info, store } = page;
  const { tab } = store.state;
  const open = tab.split('/')[0]!;
  const { name, about } = nameOfRun(info.key, page.manifest);
  const { entries } = host.loader;
  const tabs = tabsOf(info);
  const live = page.manifest?.complete === false;
  return html`<header class="head">
    <a class="skip" href="#stage" @click=${(e: Event) => {
      e.preventDefault();
      host.renderRoot.querySelector<HTMLElement>('#stage')?.focus();
    }}>To the picture</a>
    <span class="brand">${logo}<span>Epochscope</span></span>
    <div class="run">
      ${live ? html`<span class="live-dot" title="Training goes on"></span>` : nothing}
      ${
        entries.length > 1
          ? html`<select class="run-select" aria-label="Run" @change=${(e: Event) => store.set({ run: (e.target as HTMLSelectElement).value, selection: {}, located: null, versus: null, zoom: null })}>
              ${entries.map((entry) => html`<option value=${entry.key} ?selected=${entry.key === info.key} ?disabled=${!!entry.problem} title=${entry.problem ?? ''}>${entry.title}${entry.problem ? ' (cannot be read)' : ''}</option>`)}
            </select>`
          : html`<strong title=${name}>${name}</strong>`
      }
      <span class="about">${entries.length > 1 ? `${name}${about ? `, ${about}` : ''}` : about}</span>
    </div>
    <nav class="tabs" aria-label="What to see">${tabs.map(
      ({ id, title, empty }) =>
        html`<button type="button" class="tab" data-tab=${id} aria-current=${id === open ? 'page' : nothing} @click=${() => store.set({ tab: id })}>${title}${empty ? html` <span class="hollow" title="Not computed yet"></span><span class="sr"> (not computed)</span>` : nothing}</button>`,
    )}</nav>
    <div class="tools">
      <slot name="tools"></slot>
      <button type="button" class="quiet-button" aria-label=${page.dark ? 'Light page' : 'Dark page'} @click=${() => store.set({ theme: page.dark ? 'light' : 'dark' }, 'replace')}>${themeIcon}</button>
      ${menu(page, host)}
    </div>
  </header>`;
}

function menu(page: Page, host: EsDashboard): TemplateResult {
  const { store, snapshots, info } = page;
  const { versus, ownOrder, ownScale, mode, marks } = store.state;
  const others = host.loader.entries.filter(({ key, problem }) => key !== info.key && !problem);
  const check = (text: string, on: boolean, change: () => void) =>
    html`<label><input type="checkbox" .checked=${on} @change=${change} /> ${text}</label>`;
  return html`<details class="menu" @keydown=${(e: KeyboardEvent) => {
    if (e.key !== 'Escape') return;
    const details = e.currentTarget as HTMLDetailsElement;
    if (!details.open) return;
    e.stopPropagation();
    details.open = false;
    details.querySelector('summary')!.focus();
  }} @focusout=${(e: FocusEvent) => {
    const details = e.currentTarget as HTMLDetailsElement;
    if (e.relatedTarget && !details.contains(e.relatedTarget as Node)) details.open = false;
  }}>
    <summary class="quiet-button" aria-label="More">${moreIcon}</summary>
    <div class="items">
      <label class="stack">Compare with <select @change=${(e: Event) => compare(page, (e.target as HTMLSelectElement).value)}>
        <option value="" ?selected=${!versus}>nothing</option>
        <optgroup label="Snapshot">${offered(snapshots, versus?.value).map((snapshot) => html`<option value="snapshot:${snapshot.id}" ?selected=${versus?.kind === 'snapshot' && versus.value === snapshot.id}>${snapshotTitle(snapshot)}</option>`)}</optgroup>
        ${others.length ? html`<optgroup label="Run">${others.map(({ key, title }) => html`<option value="run:${key}" ?selected=${versus?.kind === 'run' && versus.value === key}>${title}</option>`)}</optgroup>` : nothing}
      </select></label>
      ${check('Each picture on its own scale', ownScale, () => store.set({ ownScale: !ownScale }))}
      ${check('VAT: distances in place of iVAT', mode === 'vat', () => store.set({ mode: mode === 'vat' ? 'ivat' : 'vat' }))}
      <label class="stack">Colours along the edges <select @change=${(e: Event) => store.set({ marks: (e.target as HTMLSelectElement).value as typeof marks })}>${(
        [
          ['class', 'true classes'],
          ['correct', 'right and wrong'],
          ['none', 'none'],
        ] as const
      ).map(
        ([value, title]) => html`<option value=${value} ?selected=${value === marks}>${title}</option>`,
      )}</select></label>
      ${check('Order of each epoch alone', ownOrder, () => store.set({ ownOrder: !ownOrder }))}
      <button type="button" ?disabled=${!store.canUndo} @click=${() => store.undo()}>Take back <kbd>Ctrl Z</kbd></button>
      <button type="button" @click=${() => void navigator.clipboard?.writeText(location.href)}>Copy this view’s address</button>
      <button type="button" @click=${() => void host.print()}>Print everything <kbd>Ctrl P</kbd></button>
      <p class="hint">Space plays · ← → epochs · ↑ ↓ layers · Esc lets go</p>
    </div>
  </details>`;
}

function compare({ store }: Page, value: string): void {
  const at = value.indexOf(':');
  const versus =
    at < 0 ? null : { kind: value.slice(0, at) as 'snapshot' | 'run', value: value.slice(at + 1) };
  // Side by side are the methods' views.
  store.set({ versus, ...(versus && store.state.tab === 'story' ? { tab: 'clusters' } : {}) });
}

export const head = { tabsOf, template };
