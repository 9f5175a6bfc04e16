import { blocksCaption } from '@epochscope/analysis/results';
import { html, nothing, type TemplateResult } from 'lit';
import { greyScale } from '../elements/es-tendency-image/draw.js';
import { percent, snapshotTitle } from '../styles.js';
import { dockTitle } from './dock.js';
import { followedIn, highOf, type Page } from './page.js';
import { shownThumbs } from './placed.js';
import { picture } from './stage-story.js';
import { thumb } from './thumb.js';

const SIZE = 38;

/** Layers by epochs: small pictures whose rows are the strip's, and the one chosen, large. */
export function clustersStage(page: Page, head: TemplateResult, width: number): TemplateResult {
  const panel = page.panel!;
  const most = Math.max(2, Math.floor((Math.min(0.45 * width, 640) - 8) / (SIZE + 3)));
  const columns = width < 720 ? [] : shownThumbs(page.snapshots.length, most, page.at);
  return html`<div class="clusters" data-stage="clusters">
    ${columns.length ? grid(page, columns) : nothing}
    <div class="side">
      ${head}
      <div class="pair">${picture(page, panel)}${figures(page)}</div>
    </div>
  </div>`;
}

function grid(page: Page, columns: readonly number[]): TemplateResult {
  const { layers, snapshots, panels, store } = page;
  const key = (event: KeyboardEvent) => {
    const steps: Record<string, [number, number]> = {
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
    };
    const step = steps[event.key];
    if (!step) return;
    const cells = [...(event.currentTarget as Element).querySelectorAll<HTMLElement>('.cell-button')];
    const now = cells.indexOf(event.target as HTMLElement);
    const next = cells[now + step[0] * columns.length + step[1]];
    if (!next || now < 0) return;
    event.preventDefault();
    event.stopPropagation();
    next.focus();
  };
  return html`<div class="layer-grid" role="grid" aria-label="Layers by epochs" @keydown=${key}>
    <div class="grid-head" role="row">${columns.map((c) => html`<span role="columnheader" aria-label=${snapshotTitle(snapshots[c]!)} class=${c === page.at ? 'now' : ''}>${shortTitle(page, c)}</span>`)}</div>
    <div class="rows">${layers.map(
      ({ name, gap }) =>
        html`<div role="row" class="grid-row ${gap ? 'gap' : ''}">${columns.map((c) => {
          const snapshot = snapshots[c]!;
          const one = panels!.at(name, snapshot.id, !store.state.ownOrder);
          const chosen = name === page.layer && c === page.at;
          const marks = one ? followedIn(page, one) : null;
          const said = `${name}, ${snapshotTitle(snapshot)}: ${one ? blocksCaption(one) : 'not analysed'}`;
          return html`<span role="gridcell"><button type="button" class="cell-button" tabindex=${chosen ? 0 : -1} aria-label=${said} title=${said} aria-current=${chosen ? 'true' : nothing} ?disabled=${!one}
          @click=${() => page.select({ layer: name, snapshot: snapshot.id })}>${one ? thumb(one, { size: SIZE, high: highOf(page, one, (p) => greyScale(p, 'ivat').high), dark: page.dark, marks, follow: page.followColour }) : html`<span class="none"></span>`}</button></span>`;
        })}</div>`,
    )}</div>
  </div>`;
}

const shortTitle = ({ snapshots }: Page, c: number) => {
  const title = snapshotTitle(snapshots[c]!);
  return title === 'before training' ? '0' : title.replace(/^(epoch|step|round) /, '');
};

function figures(page: Page): TemplateResult {
  const panel = page.panel!;
  const row = page.layers.find(({ name }) => name === panel.layer);
  const { ari } = panel.scores.inBlocks;
  const all = panel.scores.overall.ari;
  // A count of none has a reason; "0" before it would say more than is known.
  const items: [string, string, string?][] = [
    panel.blocks.count
      ? [String(panel.blocks.count), 'blocks']
      : ['–', panel.blocks.reason ?? 'no clear blocks'],
  ];
  if (panel.blocks.count) {
    items.push([percent(panel.blocks.shareInNone, 0), 'of the samples in none']);
    if (ari.value !== null) items.push([ari.value.toFixed(2), 'ARI in blocks']);
    if (all.value !== null) items.push([all.value.toFixed(2), 'ARI of all samples']);
    if (panel.blocks.stability.value !== null)
      items.push([panel.blocks.stability.value.toFixed(2), 'stability of the blocks']);
  }
  return html`<div class="column">
    <h2 class="small">${panel.layer}, ${dockTitle({ ...panel.snapshot }).toLowerCase()}</h2>
    ${row ? html`<p class="about">${row.about}</p>` : nothing}
    <dl class="large tall">${items.map(([value, name]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
  </div>`;
}
