import type { SampleImages, TendencyPanel, TendencyResult } from '@epochscope/analysis/results';
import { html, nothing, type TemplateResult } from 'lit';
import { greyScale, MARGIN } from '../elements/es-tendency-image/draw.js';
import type { TendencySelectDetail } from '../elements/es-tendency-image/index.js';
import { download } from '../figure/export.js';
import { format, percent, snapshotTitle } from '../styles.js';
import { metricWords } from './dock.js';
import { liveCharts, liveFigures } from './live.js';
import {
  type BlockContent,
  blockAtPosition,
  blockContents,
  isDigits,
  letterOf,
  meanImage,
  metricOf,
  placesIn,
  sampleName,
  thousands,
} from './model.js';
import { locatedIn, type Page, standsFor } from './page.js';
import { apart, membersCsv } from './placed.js';
import { ramp, top, widths } from './placing.js';
import { isTraining } from './source.js';
import { faintNote, headline, isFaint, ruleSentence } from './story.js';
import { inkImage } from './thumb.js';

const own = (panel: TendencyPanel) => greyScale(panel, 'ivat').high;
/** White end of the large picture. */
export const pictureHigh = (page: Page, panel: TendencyPanel): number =>
  page.store.state.ownScale ? own(panel) : page.panels!.scale(panel).high;

/** White end of the scale that a layer's pictures share. */
const layerHigh = ({ panels }: Page, layer: string): number => {
  const scales = panels!.row(layer).map((panel) => panels!.scale(panel));
  return Math.max(...scales.map(({ own: alone, high }) => (alone ? 0 : high)));
};

/** The last layer through the epochs, with the sentence that says what became of it. */
export function storyStage(page: Page): TemplateResult {
  const { panels, layer } = page;
  const panel = page.panel!;
  const row = panels!.row(layer!);
  const { samples } = panels!.result;
  const faint = (one: TendencyPanel) => panels!.scale(one).own;
  const training = page.manifest?.complete === false ? { epoch: nextEpoch(page) } : null;
  const live = isTraining(page.source) && page.source.state !== 'done' ? page.source : null;
  return html`<div class="story" data-stage="story">
    ${picture(page, panel)}
    <div class="words">
      <p class="kicker">${training ? html`<span class="live-dot"></span> Training goes on` : kicker(page, panel)}</p>
      <h1>${headline({ row, labels: samples.labels, classes: samples.classes, faint, training })}</h1>
      ${live ? liveFigures(live, panel) : figures(page, panel)}
      <hr />
      ${live?.frame ? liveCharts(live.frame) : nothing}
      ${newSample(page, panel)}
      <p class="reading"><strong>A dark square on the diagonal is a group of ${isDigits(samples.classes) ? 'digits' : 'samples'} ${page.manifest ? 'this layer finds alike' : 'that are alike'}.</strong> The paler the ground, the further apart.${samples.labels ? ' Edge colours are true classes' : ''}${samples.labels && samples.images && panel.blocks.count && panel.blocks.count <= MOST_BESIDE ? ', the pictures on the right each block’s average.' : samples.labels ? '.' : ''} White outlines are blocks. ${ruleSentence(panel)}</p>
      ${key(page, panel)}
      ${bars(page, panel)}
    </div>
  </div>`;
}

const nextEpoch = ({ snapshots }: Page) => {
  const epoch = snapshots.findLast((one) => one.epoch !== null)?.epoch;
  return epoch == null ? null : epoch + 1;
};

function kicker(page: Page, panel: TendencyPanel): string {
  const last = page.manifest && page.layers.at(-1)?.name === panel.layer;
  const digits = isDigits(page.panels!.result.samples.classes);
  return `${last ? 'The last layer, ' : ''}${panel.layer}: ${thousands(panel.n)} ${digits ? 'test digits' : 'samples'} compared in pairs`;
}

function figures(page: Page, panel: TendencyPanel): TemplateResult {
  const ari = panel.scores.inBlocks.ari.value;
  const accuracy = metricOf(page.snapshots, ['testAccuracy', 'valAccuracy', 'val_accuracy', 'accuracy']);
  const now = page.at >= 0 ? accuracy?.values[page.at] : null;
  const items: [string, string][] = [[String(panel.blocks.count), 'blocks']];
  if (ari !== null) items.push([ari.toFixed(2), 'ARI in blocks']);
  if (panel.blocks.count) items.push([percent(panel.blocks.shareInNone, 0), 'in no block']);
  if (now != null) items.push([percent(now), metricWords(accuracy!.name)]);
  return html`<dl class="large">${items.map(([value, name]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** Whether distances are shown, and not iVAT: where the result holds them. */
const isVat = ({ store }: Page, panel: TendencyPanel): boolean =>
  store.state.mode === 'vat' && Boolean(panel.vat);

/** The large picture: classes along its edges, the letter and average of each block beside it. */
export function picture(page: Page, panel: TendencyPanel): TemplateResult {
  const { samples } = page.panels!.result;
  const { state } = page.store;
  const high = pictureHigh(page, panel);
  const layer = layerHigh(page, panel.layer);
  const alone = page.panels!.scale(panel).own;
  const vat = isVat(page, panel);
  const faint = !vat && !state.ownScale && (alone || (panel.blocks.count === 0 && isFaint(own(panel), high)));
  const most = greyScale(panel, 'ivat').most;
  const zoom = state.zoom && state.zoom[1] <= panel.n ? state.zoom : null;
  const nameOf = (sample: number) => sampleName(samples, sample);
  return html`<div class="picture">
    <es-tendency-image ink .data=${panel} .labels=${samples.labels} .classes=${samples.classes} .selection=${page.followed?.kind === 'new' ? { ...state.selection, sample: standsFor(page.followed, panel) } : page.pointed?.kind === 'class' ? { ...state.selection, sample: null, class: page.pointed.label } : state.selection} .mode=${vat ? 'vat' : 'ivat'} .markColor=${state.marks} .scaleHigh=${vat ? Number.NaN : high} .from=${zoom ? zoom[0] : Number.NaN} .to=${zoom ? zoom[1] : Number.NaN} .nameOf=${nameOf} .result=${page.panels!.result}
      @es-select=${(event: CustomEvent<TendencySelectDetail>) => {
        event.stopPropagation();
        page.select({ sample: event.detail.sample, class: null, unit: null });
      }}
      @es-zoom=${(event: CustomEvent<{ from: number; to: number }>) => {
        const { from, to } = event.detail;
        page.store.set({ zoom: from === 0 && to === panel.n ? null : [from, to] }, 'replace');
      }}></es-tendency-image>
    ${state.mode === 'vat' && !vat ? html`<p class="inside">This result holds no VAT picture; its iVAT is drawn.</p>` : nothing}
    ${faint && !zoom ? html`<p class="inside">${faintNote(own(panel), most, layer, panel.blocks.count)}${alone ? nothing : html` <button type="button" @click=${() => page.store.set({ ownScale: true })}>Its own scale</button>`}</p>` : nothing}
    ${zoom ? nothing : gutter(page, panel, samples)}
  </div>`;
}

const means = new WeakMap<TendencyPanel, Map<number, Float32Array>>();
function meanOf(
  images: SampleImages,
  panel: TendencyPanel,
  block: number,
  { start, end }: BlockContent,
): Float32Array {
  let kept = means.get(panel);
  if (!kept) means.set(panel, (kept = new Map()));
  let mean = kept.get(block);
  if (!mean) kept.set(block, (mean = meanImage(images, panel, start, end)));
  return mean;
}

/** Blocks beside a picture, while there is room for them. */
const MOST_BESIDE = 20;
/** Images so many times as wide as high are not drawn there. */
const FLAT = 6;

function gutter(page: Page, panel: TendencyPanel, samples: TendencyResult['samples']): unknown {
  const blocks = blockContents(panel, samples.labels);
  if (!blocks.length || blocks.length > MOST_BESIDE) return nothing;
  const inner = 1 - MARGIN;
  const middles = blocks.map(({ start, end }) => 100 * (MARGIN + (inner * (start + end)) / 2 / panel.n));
  const least = samples.images ? 4.6 : 3;
  const at = apart(middles, least, 100 - least / 2);
  const here = blockOfFollowed(page, panel);
  return html`<div class="gutter">${blocks.map((block, b) => {
    const label = block.classes[0]?.[0];
    const name = label === undefined ? '' : (samples.classes?.[label] ?? String(label));
    const said = `Block ${block.letter}, ${block.end - block.start} samples${name ? `, mostly ${name}: follow ${name}` : ''}`;
    // A strip of one-hot tokens is no picture that a person reads: its class stands there.
    const flat = samples.images && samples.images.shape[2] > FLAT * samples.images.shape[1];
    const mean = samples.images && !flat && meanOf(samples.images, panel, b, block);
    return html`<button type="button" class="beside ${b === here ? 'follow' : ''}" aria-label=${said} title=${said} ?disabled=${label === undefined || label > 1e9} @pointerenter=${() => page.point({ class: label! })} @pointerleave=${() => page.point(null)} @click=${() => page.select({ class: label!, sample: null })} ${top(at[b]!)}>
      <span class="letter">${block.letter}</span>${mean ? inkImage(mean, [samples.images!.shape[1], samples.images!.shape[2], samples.images!.shape[3]], 28, page.dark) : flat ? html`<span class="letter">${name}</span>` : nothing}
    </button>`;
  })}</div>`;
}

/** Index of the block that the followed sample is in; −1 for none. */
function blockOfFollowed(page: Page, panel: TendencyPanel): number {
  const { followed } = page;
  const sample = standsFor(followed, panel);
  if (
    sample === null ||
    (followed?.kind === 'new' && (locatedIn(followed.result, panel)?.block[0] ?? -1) < 0)
  )
    return -1;
  return blockAtPosition(panel, placesIn(panel)[sample]!);
}

/** A sample that is not the run's: what it is, and which of the run's are most like it here. */
function newSample(page: Page, panel: TendencyPanel): unknown {
  const { followed } = page;
  if (followed?.kind !== 'new') return nothing;
  const { result, name } = followed;
  const found = locatedIn(result, panel);
  const { samples } = page.panels!.result;
  const read = result.predictions.find(({ snapshot }) => snapshot === panel.snapshot.id)?.classes[0];
  const { images } = result;
  const block = blockOfFollowed(page, panel);
  const one =
    images &&
    Float32Array.from(images.data.subarray(0, images.data.length / result.count), (byte) => byte / 255);
  return html`<section class="new-sample" aria-label="New sample">
    ${one ? inkImage(one, [images!.shape[1], images!.shape[2], images!.shape[3]], 56, page.dark) : nothing}
    <p><strong>${name}</strong>${read === undefined ? '' : `, read as ${samples.classes?.[read] ?? read}`}, ${block < 0 ? 'in no block' : `in block ${letterOf(block)}`}.
      ${found ? `Nearest in ${panel.layer}: ${sampleName(samples, found.nearest[0]!)}, at ${format(Number(found.distances[0]!.toPrecision(2)))}.` : `It was not placed in ${panel.layer} here.`}</p>
  </section>`;
}

function key(page: Page, panel: TendencyPanel): TemplateResult {
  const { ownScale } = page.store.state;
  const vat = isVat(page, panel);
  const high = vat ? greyScale(panel, 'vat').high : pictureHigh(page, panel);
  const clipped =
    (vat
      ? greyScale(panel, 'vat').most
      : ownScale
        ? greyScale(panel, 'ivat').most
        : page.panels!.scale(panel).most) >
    high * (1 + 1e-6);
  return html`<p class="scale-key"><span>alike, 0</span> <canvas class="ramp" width="240" height="1" aria-hidden="true" ${ramp(page.dark)}></canvas> <span>${clipped ? '≥ ' : ''}${format(Number(high.toPrecision(2)))}, far apart.</span> ${vat ? html`<span>Distances, on a scale of their own.</span>` : page.snapshots.length < 2 ? nothing : html`<button type="button" class="text-button" @click=${() => page.store.set({ ownScale: !ownScale })}>${ownScale || page.panels!.scale(panel).own ? 'This epoch’s own scale' : 'One scale for all epochs'}</button>`}</p>`;
}

/** What each block holds, in its classes; a row is chosen to see its members. */
function bars(page: Page, panel: TendencyPanel): unknown {
  const { samples } = page.panels!.result;
  const blocks = blockContents(panel, samples.labels);
  if (!blocks.length || !samples.labels) return blocks.length ? members(page, panel) : nothing;
  const most = Math.max(...blocks.map(({ start, end }) => end - start));
  const { followed } = page;
  const here = blockOfFollowed(page, panel);
  const label = followed?.kind === 'class' ? followed.label : null;
  return html`<h2 class="small">What each block holds <span>colour = true class</span></h2>
    <div class="bars">${blocks.map((block, b) => {
      const [[first, count] = [Number.NaN, 0]] = block.classes;
      const size = block.end - block.start;
      const name = samples.classes?.[first!] ?? String(first);
      const text = `${Math.round((100 * count!) / size)} % are ${name}`;
      return html`<button type="button" class="bar-row ${b === here ? 'follow' : ''}" aria-pressed=${chosenBlock(page) === b} title="Block ${block.letter}: ${size} samples. Click to see them." @pointerenter=${() => page.point(first === undefined || first > 1e9 ? null : { class: first })} @pointerleave=${() => page.point(null)} @click=${() => chooseBlock(page, b)}>
        <span class="letter">${block.letter}</span>
        <span class="track"><span class="bar" ${widths(block.classes, most, label)}></span></span><span class="share">${text}</span>
      </button>`;
    })}</div>${members(page, panel)}`;
}

const chosenBlock = ({ store }: Page): number => store.state.block ?? -1;
const chooseBlock = (page: Page, block: number): void =>
  page.store.set({ block: chosenBlock(page) === block ? null : block });

/** The members of the chosen block, to look at and to save. */
function members(page: Page, panel: TendencyPanel): unknown {
  const { samples } = page.panels!.result;
  const b = chosenBlock(page);
  const block = blockContents(panel, samples.labels)[b];
  if (!block) return nothing;
  const rows = panel.order.subarray(block.start, block.end);
  return html`<section class="members" aria-label="Block ${block.letter}">
    <p><strong>Block ${block.letter}</strong>, ${rows.length} samples <button type="button" class="plain-button" @click=${() => saveMembers(page, panel, block)}>Save as a table</button></p>
    ${samples.images ? html`<es-sample-gallery .data=${samples} .selection=${page.store.state.selection} .samples=${rows} limit="48"></es-sample-gallery>` : nothing}
  </section>`;
}

function saveMembers(page: Page, panel: TendencyPanel, block: BlockContent): void {
  const blob = new Blob([membersCsv(page.panels!.result.samples, panel, block)], { type: 'text/csv' });
  const place = `${panel.layer}-${snapshotTitle(panel.snapshot).replace(/\s+/g, '-')}`;
  download(blob, `${place}-block-${block.letter}.csv`);
}
