import { html, nothing, svg, type TemplateResult } from 'lit';
import { snapshotsIn } from '../elements/es-series-check/index.js';
import { greyScale } from '../elements/es-tendency-image/draw.js';
import { format, percent, snapshotTitle } from '../styles.js';
import { backIcon, forwardIcon, pauseIcon, playIcon } from './icons.js';
import { blockAtPosition, letterOf, metricOf, placesIn } from './model.js';
import { highOf, type Page, type PageSnapshot } from './page.js';
import { shownThumbs } from './placed.js';
import { left } from './placing.js';
import { thumb } from './thumb.js';

const ACCURACY = ['testAccuracy', 'valAccuracy', 'val_accuracy', 'val_acc', 'accuracy', 'acc'];
const LOSS = ['testLoss', 'valLoss', 'val_loss', 'loss'];
const WORDS: Record<string, string> = {
  testAccuracy: 'test accuracy',
  testLoss: 'test loss',
  valAccuracy: 'validation accuracy',
  valLoss: 'validation loss',
};
export const metricWords = (name: string): string => WORDS[name] ?? name;

/** Title of a snapshot at the dock: "Epoch 10", "Untrained". */
export function dockTitle(snapshot: PageSnapshot): string {
  const title = snapshotTitle(snapshot);
  return title === 'before training' ? 'Untrained' : title[0]!.toUpperCase() + title.slice(1);
}
/** Short, below a thumb. */
const tick = (snapshot: PageSnapshot): string => {
  const title = snapshotTitle(snapshot);
  return title === 'before training' ? '0' : title.replace(/^(epoch|step|round) /, '');
};

const HEIGHT = 50;

/** A line over the snapshots in a box of 100 × HEIGHT, which stretches; gaps where there is no value. */
function linePath(values: readonly (number | null)[], y: (value: number) => number): string {
  const step = values.length > 1 ? 100 / (values.length - 1) : 0;
  let d = '';
  let pen = false;
  values.forEach((value, i) => {
    if (value === null) return;
    d += `${pen ? 'L' : 'M'}${(i * step).toFixed(3)} ${y(value).toFixed(2)}`;
    pen = true;
  });
  return d;
}

/** Accuracy above, the loss's logarithm below. */
function curves(page: Page): { acc: string; loss: string; has: boolean } {
  const acc = metricOf(page.snapshots, ACCURACY);
  const loss = metricOf(page.snapshots, LOSS);
  const values = (loss?.values ?? []).flatMap((v) => (v !== null && v > 0 ? [Math.log(v)] : []));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return {
    acc: acc ? linePath(acc.values, (v) => 4 + 24 * (1 - Math.min(1, Math.max(0, v)))) : '',
    loss: loss
      ? linePath(
          loss.values.map((v) => (v !== null && v > 0 ? Math.log(v) : null)),
          (v) => 31 + (high > low ? 13 * (1 - (v - low) / (high - low)) : 6),
        )
      : '',
    has: Boolean(acc || loss),
  };
}

let memo: { key: unknown[]; value: ReturnType<typeof curves> } | null = null;
function keptCurves(page: Page): ReturnType<typeof curves> {
  const key = [page.snapshots];
  if (!memo || memo.key[0] !== key[0]) memo = { key, value: curves(page) };
  return memo.value;
}

/** When: the slider over snapshots, accuracy and loss above it, the layer at each, and the lane of what is followed. */
export function dock(page: Page, width: number): TemplateResult {
  const { snapshots, at, snapshot } = page;
  if (!snapshots.length) return html``;
  const narrow = width < 720;
  const total = snapshots.length - 1;
  const share = (i: number) => (total ? (100 * i) / total : 50);
  const size = narrow ? 20 : width >= 1600 ? 52 : 32;
  // Thumbs must not touch: the plot is what is left of the page's width.
  const plot = narrow ? width - 130 : width - 400;
  const shown = shownThumbs(snapshots.length, Math.max(2, Math.floor(plot / (size + 6))), at);
  const line = keptCurves(page);
  const epochs = snapshots.at(-1)?.epoch;
  const title = snapshot ? dockTitle(snapshot) : '–';
  const { acc, loss } = { acc: metricOf(snapshots, ACCURACY), loss: metricOf(snapshots, LOSS) };
  const accuracy = at >= 0 ? acc?.values[at] : null;
  const lossNow = at >= 0 ? loss?.values[at] : null;
  const y = accuracy == null ? 16 : 4 + 24 * (1 - Math.min(1, Math.max(0, accuracy)));
  return html`<section class="dock ${page.followed ? 'following' : ''}" aria-label="Epochs">
    <div class="now">
      <p class="epoch"><strong>${title}</strong>${epochs && snapshot?.epoch ? html` <span>of ${epochs}</span>` : nothing}</p>
      <div class="buttons">
        <button type="button" class="quiet-button step" aria-label="Previous snapshot" ?disabled=${at <= 0} @click=${() => page.goTo(at - 1)}>${backIcon}</button>
        <button type="button" class="play" aria-label=${page.playing ? 'Pause' : 'Play'} aria-keyshortcuts="Space" ?disabled=${total < 1} @click=${() => page.play(!page.playing)}>${page.playing ? pauseIcon : playIcon}</button>
        <button type="button" class="quiet-button step" aria-label="Next snapshot" ?disabled=${at >= total} @click=${() => page.goTo(at + 1)}>${forwardIcon}</button>
      </div>
      ${followChip(page)}
    </div>
    <div class="plot">
      <svg class="curves" viewBox="0 0 100 ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
        ${line.has ? svg`<path class="grid" d="M0 28.5H100M0 46.5H100" /><path class="acc" d=${line.acc} /><path class="loss" d=${line.loss} />` : nothing}
      </svg>
      ${at >= 0 ? html`<span class="hand" aria-hidden="true" ${left(share(at))}></span>${line.has ? html`<span class="dot" aria-hidden="true" ${left(share(at), y)}></span>` : nothing}` : nothing}
      <input class="slider" type="range" aria-label="Snapshot" min="0" max=${total} step="1" .value=${String(Math.max(0, at))} aria-valuetext=${snapshot ? snapshotTitle(snapshot) : 'none'}
        @input=${(e: Event) => page.goTo(Number((e.target as HTMLInputElement).value), 'replace')} @change=${(e: Event) => page.goTo(Number((e.target as HTMLInputElement).value))} />
      ${odd(page, share)}
      <div class="thumbs">${shown.map((i) => epochThumb(page, i, size, share(i)))}</div>
    </div>
    <div class="figures">
      ${accuracy == null ? nothing : html`<p><strong>${percent(accuracy)}</strong> ${metricWords(acc!.name)}</p>`}
      ${lossNow == null ? nothing : html`<p><strong>${format(Number(lossNow.toPrecision(3)))}</strong> ${metricWords(loss!.name)}, log</p>`}
      ${page.followed?.kind === 'sample' ? html`<p><span class="key ring"></span>its place in ${page.layer}</p>${page.panels?.result.samples.predictions ? html`<p><span class="key chip right"></span>read right <span class="key chip"></span>wrong</p>` : nothing}` : page.layer ? html`<p>${page.layer}, every epoch</p>` : nothing}
    </div>
  </section>`;
}

/** Snapshots that the check of the series found a fault with, each marked where it stands. */
function odd({ check, snapshots, goTo }: Page, share: (i: number) => number): TemplateResult[] {
  const found = new Map<string, string[]>();
  for (const finding of check?.findings ?? []) {
    const id = finding.grade === 'fault' ? snapshotsIn(finding).at(-1) : undefined;
    if (id !== undefined) found.set(id, [...(found.get(id) ?? []), finding.text]);
  }
  return snapshots.flatMap((snapshot, i) => {
    const texts = found.get(snapshot.id);
    return texts
      ? html`<button type="button" class="odd" tabindex="-1" title=${texts.join('\n')} aria-label=${texts.join('; ')} data-odd=${snapshot.id} @click=${() => goTo(i)} ${left(share(i))}>!</button>`
      : [];
  });
}

function epochThumb(page: Page, i: number, size: number, share: number): TemplateResult {
  const { snapshots, panels, layer, store, followed, at } = page;
  const snapshot = snapshots[i]!;
  const panel = layer && panels?.at(layer, snapshot.id, !store.state.ownOrder);
  const place = followed?.kind === 'sample' && panel ? placesIn(panel)[followed.sample]! : null;
  return html`<button type="button" class="epoch-thumb" tabindex="-1" data-snapshot=${snapshot.id} aria-current=${i === at ? 'true' : nothing} @click=${() => page.goTo(i)} ${left(share)}>
    <span class="box">${panel ? thumb(panel, { size, high: highOf(page, panel, (p) => greyScale(p, 'ivat').high), dark: page.dark, ring: place, follow: page.followColour }) : nothing}</span>
    ${followed?.kind === 'sample' && panels ? chip(page, snapshot, panel || null, place) : nothing}
    <span class="tick" aria-hidden="true">${tick(snapshot)}</span><span class="sr">${snapshotTitle(snapshot)}</span>
  </button>`;
}

/** What the net read, filled where right; without predictions the block the sample stands in. */
function chip(
  page: Page,
  { id }: PageSnapshot,
  panel: ReturnType<NonNullable<Page['panels']>['at']>,
  place: number | null,
): TemplateResult {
  const { samples } = page.panels!.result;
  const sample = (page.followed as { sample: number }).sample;
  const predicted = samples.predictions?.find(({ snapshot }) => snapshot === id)?.classes[sample];
  const block = panel && place !== null ? blockAtPosition(panel, place) : -1;
  const where = block < 0 ? 'in no block' : `in block ${letterOf(block)}`;
  if (predicted === undefined)
    return html`<span class="chip plain" title=${where}>${block < 0 ? '–' : letterOf(block)}</span>`;
  const name = samples.classes?.[predicted] ?? String(predicted);
  const truth = samples.labels?.[sample];
  const right = truth === predicted;
  return html`<span class="chip ${right ? 'right' : ''}" title="read as ${name}, ${where}">${name.slice(0, 3)}<span class="sr"> ${right ? 'right' : 'wrong'}, ${where}</span></span>`;
}

function followChip(page: Page): unknown {
  const { followed } = page;
  if (!followed) return nothing;
  const none =
    followed.kind === 'sample'
      ? { sample: null }
      : followed.kind === 'class'
        ? { class: null }
        : { unit: null };
  return html`<button type="button" class="unfollow" aria-label="Stop following ${followed.name}" @click=${() => page.select(none)}>${followed.name[0]!.toUpperCase()}${followed.name.slice(1)} <span aria-hidden="true">×</span></button>`;
}
