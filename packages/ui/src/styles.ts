import { css } from 'lit';

/**
 * Custom properties every element reads; set them on the page to restyle. Light and dark follow `color-scheme`.
 * @cssprop --es-text - colour of text.
 * @cssprop --es-quiet - colour of secondary text and axes.
 * @cssprop --es-line - colour of borders and grid lines.
 * @cssprop --es-surface - background that the element stands on.
 * @cssprop --es-raised - background of raised places.
 * @cssprop --es-accent - colour of focus, selection and the first series.
 * @cssprop --es-font - font family.
 * @cssprop --es-font-size - size of text.
 */
export const tokens = css`
  :host {
    --_text: var(--es-text, light-dark(#15171c, #ecedef));
    --_quiet: var(--es-quiet, light-dark(#4a505a, #b2b8c1));
    --_line: var(--es-line, light-dark(#dddcd7, #363c44));
    --_surface: var(--es-surface, light-dark(#ffffff, #171b20));
    --_raised: var(--es-raised, light-dark(#f1f0ec, #23272d));
    --_accent: var(--es-accent, light-dark(#1a5fe0, #7fa8ff));
    color: var(--_text);
    font-family: var(--es-font, system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif);
    font-size: var(--es-font-size, 0.875rem);
    line-height: 1.4;
    /* Every text is English and every axis runs to the right, on pages of any direction. */
    direction: ltr;
  }
  @media (forced-colors: active) {
    :host {
      --_text: CanvasText;
      --_quiet: CanvasText;
      --_line: color-mix(in srgb, CanvasText 45%, Canvas);
      --_surface: Canvas;
      --_raised: color-mix(in srgb, CanvasText 14%, Canvas);
      --_accent: Highlight;
    }
  }
  :host([hidden]) {
    display: none;
  }
  table {
    border-collapse: collapse;
    font-variant-numeric: tabular-nums;
  }
  th,
  td {
    text-align: right;
    padding: 0.15rem 0.6rem;
    border-bottom: 1px solid var(--_line);
  }
  th:first-child,
  td:first-child {
    text-align: left;
  }
  th {
    font-weight: 600;
    color: var(--_quiet);
  }
  summary {
    cursor: pointer;
    color: var(--_quiet);
    /* WCAG 2.2, 2.5.8: targets of 24 pixels. */
    line-height: max(24px, 1.6em);
  }
  :focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: 2px;
  }
`;

/** The name of a snapshot of which only the id is at hand. */
export function titleOfId(id: string): string {
  const [, kind, number] = /^(epoch|step)-0*(\d+)$/.exec(id) ?? [];
  if (id === 'init') return snapshotTitle({ id, epoch: 0, step: 0 });
  if (!number) return snapshotTitle({ id, epoch: null, step: null });
  const at = Number(number);
  return snapshotTitle({ id, epoch: kind === 'epoch' ? at : null, step: kind === 'step' ? at : null });
}

/** Every minus sign is U+2212: a hyphen is shorter than a plus sign, and breaks lines. */
export const minus = (text: string): string => text.replaceAll('-', '−');

/** A number for people: four significant digits, no exponent for common sizes, "–" for what is undefined. */
export function format(value: number): string {
  if (value === 0) return '0';
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '–' : value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  return minus(
    size >= 1e5 || size < 1e-3
      ? value.toExponential(2).replace('e+', 'e')
      : String(Number(value.toPrecision(4))),
  );
}
/** The same with a sign: "+0.5". */
export const signed = (value: number): string => (value > 0 ? `+${format(value)}` : format(value));
/** "12.3 %", or "–". */
export const percent = (share: number | null, digits = 1): string =>
  share === null || Number.isNaN(share) ? '–' : `${minus((100 * share).toFixed(digits))} %`;

/** With a capital letter, as a sentence begins. */
export const sentence = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/**
 * A snapshot's one name for people: "before training", "epoch 3", "step 1200", or its id where that says more than the step it
 * ended at ("rbm-2", "round-03").
 */
export function snapshotTitle(snapshot: { id: string; epoch: number | null; step: number | null }): string {
  const { id, epoch, step } = snapshot;
  if (step === 0 || (epoch === 0 && step === null)) return 'before training';
  // Snapshots at batches share their epoch: the step tells them apart.
  if (epoch !== null && /^epoch/.test(id)) return `epoch ${epoch}`;
  if (step !== null && /^(step|batch)/.test(id)) return `step ${step}`;
  const round = /^round-0*(\d+)$/.exec(id);
  return round ? `round ${round[1]}` : id;
}
