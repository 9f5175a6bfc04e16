import type { LocateResult, TendencyPanel } from '@epochscope/analysis/results';
import { html, nothing, svg, type TemplateResult } from 'lit';
import { snapshotsIn } from '../elements/es-series-check/index.js';
import { greyScale } from '../elements/es-tendency-image/draw.js';
import { format, percent, sentence, snapshotTitle } from '../styles.js';
import { backIcon, forwardIcon, pauseIcon, playIcon } from './icons.js';
import { blockAtPosition, letterOf, membersIn, metricOf, placesIn } from './model.js';
import {
  type Followed,
  followedIn,
  highOf,
  locatedIn,
  type Page,
  type PageSnapshot,
  standsFor,
} from './page.js';
import { shownThumbs } from './placed.js';
import { left } from './placing.js';
import { isTraining } from './source.js';
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
  return title === 'before training' ? 'Untrained' : sentence(title);
}
/** Short, below a thumb. */
const tick = (snapshot: PageSnapshot): string => {
  const title = snapshotTitle(snapshot);
  return title === 'before training' ? '0' : title.replace(/^(epoch|step|round) /, '');
};

const HEIGHT = 50;

/** A line over the snapshots in a box of 100 × HEIGHT, which stretches; gaps where there is no value. */
function linePath(values: readonly (number | null)[], y: (value: number) => number, count: number): string {
  const step = count > 1 ? 100 / (count - 1) : 0;
  let d = '';
  let pen = false;
  values.forEach((value, i) => {
    if (value === null) return;
    d += `${pen ? 'L' : 'M'}${(i * step).toFixed(3)} ${y(value).toFixed(2)}`;
    pen = true;
  });
  return d;
}

/** Accuracy above, the logarithms of the loss and of the training's below, at one scale. */
function curves(page: Page, count: number): { acc: string; loss: string; trained: string; has: boolean } {
  const acc = metricOf(page.snapshots, ACCURACY);
  const loss = metricOf(page.snapshots, LOSS);
  const trained = trainLoss(page, loss?.name);
  const values = [...(loss?.values ?? []), ...(trained?.values ?? [])].flatMap((v) =>
    v !== null && v > 0 ? [Math.log(v)] : [],
  );
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const logPath = (of: readonly (number | null)[]) =>
    linePath(
      of.map((v) => (v !== null && v > 0 ? Math.log(v) : null)),
      (v) => 31 + (high > low ? 13 * (1 - (v - low) / (high - low)) : 6),
      count,
    );
  return {
    acc: acc ? linePath(acc.values, (v) => 4 + 24 * (1 - Math.min(1, Math.max(0, v))), count) : '',
    loss: loss ? logPath(loss.values) : '',
    trained: trained ? logPath(trained.values) : '',
    has: Boolean(acc || loss),
  };
}

/** The loss on what is trained on, where another one is drawn. */
const trainLoss = (page: Page, drawn: string | undefined) =>
  drawn && drawn !== 'loss' ? metricOf(page.snapshots, ['loss', 'trainLoss']) : null;

let memo: { key: unknown[]; value: ReturnType<typeof curves> } | null = null;
function keptCurves(page: Page, count: number): ReturnType<typeof curves> {
  const key = [page.snapshots, count];
  if (!memo || memo.key.some((one, i) => one !== key[i])) memo = { key, value: curves(page, count) };
  return memo.value;
}

/** When: the slider over snapshots, accuracy and loss above it, the layer at each, and the lane of what is followed. */
export function dock(page: Page, width: number): TemplateResult {
  const { snapshots, at, snapshot } = page;
  if (!snapshots.length) return html``;
  const narrow = width < 720;
  // Of a training those that are to come have their places.
  const live = isTraining(page.source) && page.source.state !== 'done' ? page.source : null;
  const count = Math.max(snapshots.length, live?.planned ?? 0);
  const total = count - 1;
  const newest = snapshots.length - 1;
  const share = (i: number) => (total ? (100 * i) / total : 50);
  const size = narrow ? 20 : width >= 1600 ? 52 : 32;
  // Thumbs must not touch: the plot is what is left of the page's width.
  const plot = narrow ? width - 130 : width - 400;
  const shown = shownThumbs(count, Math.max(2, Math.floor(plot / (size + 6))), at);
  const line = keptCurves(page, count);
  const epochs = live?.options.epochs ?? snapshots.at(-1)?.epoch;
  const title = snapshot ? dockTitle(snapshot) : '–';
  const { acc, loss } = { acc: metricOf(snapshots, ACCURACY), loss: metricOf(snapshots, LOSS) };
  const accuracy = at >= 0 ? acc?.values[at] : null;
  const lossNow = at >= 0 ? loss?.values[at] : null;
  const trainedNow = at >= 0 ? trainLoss(page, loss?.name)?.values[at] : null;
  const y = accuracy == null ? 16 : 4 + 24 * (1 - Math.min(1, Math.max(0, accuracy)));
  return html`<section class="dock ${page.followed ? 'following' : ''}" aria-label="Epochs">
    <div class="now">
      <p class="epoch"><strong>${title}</strong>${epochs && snapshot?.epoch ? html` <span>of ${epochs}</span>` : nothing}</p>
      <div class="buttons">
        <button type="button" class="quiet-button step" aria-label="Previous snapshot" ?disabled=${at <= 0} @click=${() => page.goTo(at - 1)}>${backIcon}</button>
        <button type="button" class="play" aria-label=${page.playing ? 'Pause' : 'Play'} aria-keyshortcuts="Space" ?disabled=${newest < 1} @click=${() => page.play(!page.playing)}>${page.playing ? pauseIcon : playIcon}</button>
        <button type="button" class="quiet-button step" aria-label="Next snapshot" ?disabled=${at >= newest} @click=${() => page.goTo(at + 1)}>${forwardIcon}</button>
      </div>
      ${followChip(page)}
    </div>
    <div class="plot">
      <svg class="curves" viewBox="0 0 100 ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
        ${line.has ? svg`<path class="grid" d="M0 28.5H100M0 46.5H100" /><path class="acc" d=${line.acc} /><path class="loss" d=${line.loss} /><path class="loss trained" d=${line.trained} />` : nothing}
      </svg>
      ${at >= 0 ? html`<span class="hand" aria-hidden="true" ${left(share(at))}></span>${line.has ? html`<span class="dot" aria-hidden="true" ${left(share(at), y)}></span>` : nothing}` : nothing}
      <input class="slider" type="range" aria-label="Snapshot" min="0" max=${total} step="1" .value=${String(Math.max(0, at))} aria-valuetext=${snapshot ? snapshotTitle(snapshot) : 'none'}
        @input=${(e: Event) => page.goTo(Number((e.target as HTMLInputElement).value), 'replace')} @change=${(e: Event) => page.goTo(Number((e.target as HTMLInputElement).value))} />
      ${odd(page, share)}
      <div class="thumbs">${shown.map((i) => (i <= newest ? epochThumb(page, i, size, share(i)) : html`<span class="epoch-thumb" ${left(share(i))}><span class="box"></span></span>`))}</div>
    </div>
    <div class="figures">
      ${accuracy == null ? nothing : html`<p><strong>${percent(accuracy)}</strong> ${metricWords(acc!.name)}</p>`}
      ${lossNow == null ? nothing : html`<p><strong>${format(Number(lossNow.toPrecision(3)))}</strong> ${metricWords(loss!.name)}${trainedNow == null ? '' : html`, <strong>${format(Number(trainedNow.toPrecision(2)))}</strong> training`}, log</p>`}
      ${page.followed?.kind === 'sample' ? html`<p><span class="key ring"></span>its place in ${page.layer}</p>${page.panels?.result.samples.predictions ? html`<p><span class="key chip right"></span>read right <span class="key chip"></span>wrong</p>` : nothing}` : page.followed?.kind === 'new' ? html`<p><span class="key ring"></span>the sample nearest to it in ${page.layer}; below, what it is read as</p>` : page.followed?.kind === 'class' ? html`<p><span class="key ring"></span>${page.followed.name} in ${page.layer}, and the block with most of it</p>` : page.followed?.kind === 'unit' ? html`<p>${page.followed.modules ? 'below each epoch the module that holds it' : `${page.followed.layer}, every epoch`}</p>` : page.layer ? html`<p>${page.layer}, every epoch</p>` : nothing}
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
  const marks = panel ? followedIn(page, panel) : null;
  return html`<button type="button" class="epoch-thumb" tabindex="-1" data-snapshot=${snapshot.id} aria-current=${i === at ? 'true' : nothing} @click=${() => page.goTo(i)} ${left(share)}>
    <span class="box">${panel ? thumb(panel, { size, high: highOf(page, panel, (p) => greyScale(p, 'ivat').high), dark: page.dark, marks, follow: page.followColour }) : nothing}</span>
    ${followed?.kind === 'sample' && panels ? chip(page, snapshot, panel || null, (panel && followed.sample < panel.n ? placesIn(panel)[followed.sample] : null) ?? null) : nothing}
    ${followed?.kind === 'new' && panel ? newChip(page, followed.result, panel, standsFor(followed, panel) === null ? null : placesIn(panel)[standsFor(followed, panel)!]!) : nothing}
    ${followed?.kind === 'class' && panel ? classChip(panel, membersIn(panel, panels!.result.samples.labels, followed.label)) : nothing}
    ${followed?.kind === 'unit' ? unitChip(followed, snapshot) : nothing}
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

/** What the net read a new sample as there; its block where it read nothing. */
function newChip(
  { panels }: Page,
  result: LocateResult,
  panel: TendencyPanel,
  place: number | null,
): unknown {
  const { id } = panel.snapshot;
  const { classes } = panels!.result.samples;
  const read = result.predictions.find(({ snapshot }) => snapshot === id)?.classes[0];
  const inside = (locatedIn(result, panel)?.block[0] ?? -1) >= 0 && place !== null;
  const block = inside ? blockAtPosition(panel, place) : -1;
  const where = block < 0 ? 'in no block' : `in block ${letterOf(block)}`;
  const name = read === undefined ? null : (classes?.[read] ?? String(read));
  return html`<span class="chip plain" title="${name === null ? '' : `read as ${name}, `}${where}">${name?.slice(0, 3) ?? (block < 0 ? '–' : letterOf(block))}<span class="sr"> ${where}</span></span>`;
}

/** The block that holds most of the followed class, and how much of the class that is. */
function classChip(panel: TendencyPanel, marks: ArrayLike<number>): unknown {
  const counts = new Map<number, number>();
  for (let i = 0; i < marks.length; i++) {
    const block = blockAtPosition(panel, marks[i]!);
    if (block >= 0) counts.set(block, (counts.get(block) ?? 0) + 1);
  }
  const [block, count] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [-1, 0];
  const share = marks.length ? Math.round((100 * count) / marks.length) : 0;
  const said = block < 0 ? 'in no block' : `${share} % in block ${letterOf(block)}`;
  return html`<span class="chip plain" title=${said}>${block < 0 ? '–' : letterOf(block)}<span class="sr"> ${said}</span></span>`;
}

/** The module that holds the followed unit. */
function unitChip({ modules }: Extract<Followed, { kind: 'unit' }>, { id }: PageSnapshot): unknown {
  const found = modules?.get(id);
  if (!found) return nothing;
  const said =
    found.cluster === null
      ? `in no module: ${found.reason}`
      : `in module ${found.cluster + 1}, of ${found.size} ${found.size === 1 ? 'unit' : 'units'}`;
  return html`<span class="chip plain" title=${said}>${found.cluster === null ? '–' : found.cluster + 1}<span class="sr"> ${said}</span></span>`;
}

function followChip(page: Page): unknown {
  const { followed } = page;
  if (!followed) return nothing;
  const none =
    followed.kind === 'sample' || followed.kind === 'new'
      ? { sample: null }
      : followed.kind === 'class'
        ? { class: null }
        : { unit: null };
  return html`<button type="button" class="unfollow" aria-label="Stop following ${followed.name}" @click=${() => page.select(none)}>${followed.name[0]!.toUpperCase()}${followed.name.slice(1)} <span aria-hidden="true">×</span></button>`;
}
