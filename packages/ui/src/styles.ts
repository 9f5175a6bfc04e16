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
    --_text: var(--es-text, light-dark(#1d2329, #e6e9ec));
    --_quiet: var(--es-quiet, light-dark(#5a6570, #a3adb7));
    --_line: var(--es-line, light-dark(#d5dae0, #3a434c));
    --_surface: var(--es-surface, light-dark(#ffffff, #171b20));
    --_raised: var(--es-raised, light-dark(#f4f6f8, #20262c));
    --_accent: var(--es-accent, light-dark(#2a62b0, #7fb0f5));
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
    /* Swatches of legends say which colour is which. */
    i[style]:not([hidden]) {
      forced-color-adjust: none;
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

/** Four significant digits, no exponent for common sizes. */
export function format(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size >= 1e5 || size < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

/** A snapshot's name for people: "before training", "epoch 3", "step 1200", or its id. */
export function snapshotTitle(snapshot: { id: string; epoch: number | null; step: number | null }): string {
  const { id, epoch, step } = snapshot;
  if (step === 0 || (epoch === 0 && step === null)) return 'before training';
  // Snapshots at batches share their epoch: the step tells them apart.
  if (epoch !== null && /^epoch/.test(id)) return `epoch ${epoch}`;
  if (step !== null && /^(step|batch)/.test(id)) return `step ${step}`;
  return epoch !== null ? `epoch ${epoch}` : step !== null ? `step ${step}` : id;
}
