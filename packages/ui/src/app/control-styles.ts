import { css } from 'lit';

/** The page's own tokens, and what buttons, fields and commands look like in all of its parts. */
export default css`
  :host {
    --ground: light-dark(#fafaf8, #121418);
    --surface: light-dark(#ffffff, #1a1d22);
    --wash: light-dark(#f1f0ec, #1d2026);
    --ink: light-dark(#15171c, #ecedef);
    --ink2: light-dark(#4a505a, #b2b8c1);
    --ink3: light-dark(#686e78, #8e95a0);
    --line: light-dark(#e6e5e1, #272b31);
    --strong: light-dark(#cfcec8, #3c424b);
    --follow: light-dark(#d10a55, #ff5c93);
    --focus: light-dark(#1a66ff, #7fa8ff);
    --problem: light-dark(#a02020, #ff9a8a);
    --es-text: var(--ink);
    --es-quiet: var(--ink2);
    --es-line: var(--line);
    --es-surface: var(--ground);
    --es-raised: var(--wash);
    --es-accent: var(--focus);
    --es-font: Inter, system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif;
    font-size: 0.8125rem;
    line-height: 1.1875rem;
  }
  @media (forced-colors: active) {
    :host {
      --ground: Canvas;
      --surface: Canvas;
      --wash: Canvas;
      --ink: CanvasText;
      --ink2: CanvasText;
      --ink3: CanvasText;
      --line: CanvasText;
      --strong: CanvasText;
      --follow: Highlight;
      --focus: Highlight;
      --problem: CanvasText;
    }
  }
  button,
  select,
  input {
    font: inherit;
    color: inherit;
  }
  input[type='text'],
  input[type='number'],
  input[type='url'],
  input[type='search'],
  select {
    min-block-size: 32px;
    box-sizing: border-box;
    max-inline-size: 100%;
    inline-size: 100%;
    padding: 0 0.65rem;
    border: 1px solid var(--strong);
    border-radius: 6px;
    background: var(--surface);
    color: var(--ink);
  }
  input::placeholder {
    color: var(--ink3);
    opacity: 1;
  }
  button {
    cursor: pointer;
  }
  button:disabled {
    cursor: default;
  }
  .ink-button,
  .plain-button {
    border: 1px solid var(--strong);
    border-radius: 6px;
    background: var(--surface);
    color: var(--ink);
    padding: 0.45rem 0.9rem;
    font-weight: 500;
    font-size: 0.875rem;
  }
  .plain-button {
    padding-block: 0.25rem;
    font-size: 0.8125rem;
  }
  .plain-button:hover {
    background: var(--wash);
  }
  .ink-button {
    background: var(--ink);
    border-color: var(--ink);
    color: var(--ground);
  }
  .ink-button:hover:not(:disabled) {
    opacity: 0.88;
  }
  .ink-button:disabled {
    opacity: 0.4;
  }
  .text-button {
    border: 0;
    background: none;
    padding: 0;
    min-block-size: 24px;
    color: inherit;
    text-decoration: underline;
    text-decoration-color: var(--strong);
    text-underline-offset: 3px;
  }
  .text-button:hover {
    color: var(--ink);
    text-decoration-color: currentColor;
  }
  .command {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 1rem;
    margin: 0;
    padding: 0.55rem 0.75rem;
    border-radius: 6px;
    background: var(--wash);
  }
  .command code {
    overflow-x: auto;
    white-space: nowrap;
    font:
      12px/16px ui-monospace,
      'DejaVu Sans Mono',
      monospace;
  }
  .command button {
    font-weight: 600;
    text-decoration: none;
    color: var(--ink);
  }
  :focus-visible {
    outline: 2px solid var(--focus);
    outline-offset: 2px;
  }
  .sr {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;
