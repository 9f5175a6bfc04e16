import { html, nothing, type TemplateResult } from 'lit';
import { greyScale } from '../elements/es-tendency-image/draw.js';
import { followedIn, highOf, type Page } from './page.js';
import { thumb } from './thumb.js';

const SIZE = 38;

/** The net as a column of its layers: the navigation along depth, and what each looks like at the snapshot shown. */
export function strip(page: Page): TemplateResult {
  const { layers, layer, panels, snapshot, store } = page;
  if (!layers.length) return html``;
  return html`<nav class="strip" aria-label="Layers">
    <div class="strip-head" aria-hidden="true"><span>Layers</span>${panels ? html`<span>blocks</span>` : nothing}</div>
    <div class="rows">${layers.map(({ name, gap, about }) => {
      const panel = snapshot && panels?.at(name, snapshot.id, !store.state.ownOrder);
      const marks = panel ? followedIn(page, panel) : null;
      const count = panel ? panel.blocks.count : null;
      const known = panels?.layers.includes(name);
      const said = panel
        ? `, ${about}: ${count === 0 ? 'no clear blocks' : `${count} blocks`}`
        : `, ${about}: no picture at this snapshot`;
      return html`<button type="button" class="row ${gap ? 'gap' : ''} ${known || !panels ? '' : 'dim'}" data-layer=${name} title="${name}${said}" aria-current=${name === layer ? 'true' : nothing}
        @click=${() => page.select({ layer: name, unit: null })}>
        <span class="name">${name}<span class="sr">${said}</span></span>
        <span class="box">${panel ? thumb(panel, { size: SIZE, high: highOf(page, panel, (p) => greyScale(p, 'ivat').high), dark: page.dark, marks, follow: page.followColour }) : nothing}</span>
        <span class="count" aria-hidden="true">${count ? count : nothing}</span>
      </button>`;
    })}</div>
  </nav>`;
}
