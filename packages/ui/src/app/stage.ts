import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { state } from '../figure/index.js';
import type { Selection } from '../selection.js';
import { sentence } from '../styles.js';
import type { EsDashboard } from './es-dashboard.js';
import { head } from './head.js';
import { METHODS, type MethodInfo, methodOf, tabOfMethod } from './methods.js';
import type { Page } from './page.js';
import { sidesOf } from './sides.js';
import { type ResultName, resultId } from './source.js';
import { clustersStage } from './stage-clusters.js';
import { storyStage } from './stage-story.js';

/** What stands between the strip and the dock: the open tab; all of them for paper. */
export function stage(page: Page, host: EsDashboard, width: number): TemplateResult {
  const all = head.tabsOf(page.info);
  const tabs = all.map(({ id }) => id);
  // What is not computed has nothing for paper.
  if (host.everything)
    return html`${all.filter(({ empty }) => !empty).map(({ id }) => tab(page, host, id, width))}`;
  const open = page.store.state.tab.split('/')[0]!;
  return tab(page, host, tabs.includes(open) ? open : (tabs[0] ?? 'story'), width);
}

function tab(page: Page, host: EsDashboard, id: string, width: number): TemplateResult {
  const info = methodOf(id);
  if (id === 'story') return ready(page, METHODS[0]!, () => storyStage(page));
  if (id === 'clusters' && !page.store.state.versus && page.panels && page.panels.result.panels.length > 1)
    return ready(
      page,
      info!,
      () =>
        html`${clustersStage(page, methodHead(page, info!), width)}
        <details class="more"><summary>VAT pictures, right and wrong, scores over the snapshots, fewer samples</summary>${panels(page, host, info, id)}</details>
        <details class="more"><summary>Compute again, with other layers, snapshots or options</summary>${missing(page, info!)}</details>`,
    );
  const results = resultsOf(page, info, id);
  return html`<div class="method" data-stage=${id}>
    ${info ? methodHead(page, info) : html`<h1 class="title">${sentence(id)}</h1>`}
    ${results.length ? html`${panels(page, host, info, id)}${info ? html`<details class="more"><summary>Compute again, with other options</summary>${missing(page, info)}</details>` : nothing}` : missing(page, info)}
    ${id === 'change' ? weights(page) : nothing}
  </div>`;
}

/** The pictures of layers, or why there are none. */
function ready(page: Page, info: MethodInfo, draw: () => TemplateResult): TemplateResult {
  if (page.panel) return draw();
  if (page.panelsWaiting) return html`<div class="method">${state('Loading…', 'busy')}</div>`;
  if (page.panelsProblem) return html`<div class="method">${state(page.panelsProblem, 'alert')}</div>`;
  if (page.panels)
    return html`<div class="method" data-stage="none">
      ${state(`${page.layer} was not analysed at this snapshot. The layers with a picture are ${page.panels.layers.join(', ')}.`)}
    </div>`;
  return html`<div class="method" data-stage="none">
    <h1 class="title">No clusters are computed yet</h1>
    ${missing(page, info)}
  </div>`;
}

function methodHead(page: Page, { title, reading, paper, methods, id }: MethodInfo): TemplateResult {
  const names = [
    ...new Set(page.info.results.filter(({ method }) => methods.includes(method)).map(({ name }) => name)),
  ];
  const now = page.store.state.tab.split('/')[1];
  return html`<div class="method-head">
    <div>
      <h1 class="title">${title}</h1>
      <p class="reading">${reading}</p>
      <p class="paper">${paper}</p>
    </div>
    ${names.length > 1 && id !== 'pruning' ? html`<label>Result <select @change=${(e: Event) => page.store.set({ tab: `${id}/${(e.target as HTMLSelectElement).value}` })}>${names.map((name) => html`<option ?selected=${name === now || (!now && name === 'default')}>${name}</option>`)}</select></label>` : nothing}
  </div>`;
}

function resultsOf(page: Page, info: MethodInfo | null, id: string): ResultName[] {
  const all = page.info.results.filter(({ method }) =>
    info ? info.methods.includes(method) : tabOfMethod(method) === id,
  );
  const now = page.store.state.tab.split('/');
  const named = now[0] === id ? all.filter(({ name }) => name === now[1]) : [];
  const chosen = named.length
    ? named
    : all.some(({ name }) => name === 'default')
      ? all.filter(({ name }) => name === 'default')
      : all;
  const place = (method: string) => info?.methods.indexOf(method) ?? 0;
  return [...chosen].sort((a, b) => place(a.method) - place(b.method));
}

function panels(page: Page, host: EsDashboard, info: MethodInfo | null, id: string): TemplateResult {
  const { snapshot } = page;
  const selection = {
    ...page.store.state.selection,
    ...(snapshot ? { snapshot: snapshot.id } : {}),
    ...pointedSelection(page),
  };
  const now = { ...page.store.state, selection };
  const results = resultsOf(page, info, id);
  return html`${repeat(results, resultId, (result) => html`<es-result-panel ?bare=${results.length === 1} data-result=${resultId(result)} .source=${page.source} .sides=${sidesOf(page.info.key, result, now, page.snapshots, host.loader)}></es-result-panel>`)}`;
}

/** What the pointer is on, in place of what is followed. */
function pointedSelection({ pointed }: Page): Selection {
  if (pointed?.kind === 'sample') return { sample: pointed.sample, class: null, unit: null };
  if (pointed?.kind === 'class') return { class: pointed.label, sample: null, unit: null };
  if (pointed?.kind === 'unit')
    return { unit: pointed.unit, layer: pointed.layer, sample: null, class: null };
  return {};
}

/** What would be seen, and how to get it. */
function missing(page: Page, info: MethodInfo | null): TemplateResult {
  if (!info) return state('Nothing is here.');
  return html`<es-compute-form .page=${page} .method=${info} .key=${`${page.info.key} ${info.id}`}></es-compute-form>`;
}

/** The change from the snapshot compared with, or the first, to the one shown; where the source has weights. */
function weights({ source, info, manifest, snapshot, store }: Page): unknown {
  const { selection, versus } = store.state;
  const first = manifest?.snapshots[0];
  if (!source.weights || !first || !snapshot || !manifest.layers.some(({ parameters }) => parameters.length))
    return nothing;
  const from = versus?.kind === 'snapshot' ? versus.value : first.id;
  return html`<es-weights-panel .source=${source} run=${info.key} .manifest=${manifest} from=${from} to=${snapshot.id} .selection=${selection}></es-weights-panel>`;
}
