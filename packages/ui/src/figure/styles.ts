import { css } from 'lit';

export default css`
  figure {
    margin: 0;
    position: relative;
  }
  .plot {
    position: relative;
    max-inline-size: 100%;
  }
  .plot > canvas {
    position: absolute;
    inset: 0;
    display: block;
  }
  .plot > svg {
    display: block;
    position: relative;
    overflow: visible;
  }
  svg text {
    font-family: inherit;
    pointer-events: none;
  }
  [data-mark][role='button'] {
    cursor: pointer;
  }
  svg [data-mark]:focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: 1px;
  }
  /* What a scene names by class: lines grow, cells get a rim, what is faint comes forward. */
  .line:hover,
  .line:focus-visible,
  .line[aria-pressed='true'] {
    stroke-width: 3.5;
    opacity: 1;
  }
  .cell:hover {
    stroke: var(--_text);
  }
  .fill:hover {
    fill-opacity: 0.85;
    opacity: 1;
  }
  .silent {
    pointer-events: none;
  }
  .tip {
    position: absolute;
    z-index: 4;
    inline-size: max-content;
    max-inline-size: min(20rem, 90%);
    padding: 0.2rem 0.5rem;
    border: 1px solid var(--_line);
    border-radius: 6px;
    background: var(--_surface);
    color: var(--_text);
    box-shadow: 0 2px 8px rgb(0 0 0 / 0.16);
    font-size: 0.8125rem;
    line-height: 1.35;
    pointer-events: none;
    overflow-wrap: anywhere;
  }
  .near {
    position: absolute;
    inline-size: 11px;
    block-size: 11px;
    margin: -7px 0 0 -7px;
    border: 2px solid var(--_text);
    border-radius: 50%;
    pointer-events: none;
  }
  .legend,
  .scales {
    display: flex;
    flex-wrap: wrap;
    gap: 0.1rem 1.1rem;
    margin-block-start: 0.3rem;
  }
  .legend span {
    display: inline-flex;
    align-items: center;
    gap: 0.35rem;
  }
  .legend svg {
    flex: none;
    forced-color-adjust: none;
  }
  .scales svg {
    overflow: visible;
    max-inline-size: 100%;
  }
  [hidden] {
    display: none;
  }
  .bar {
    display: flex;
    gap: 0.5rem;
    align-items: baseline;
    justify-content: space-between;
    margin-block-start: 0.2rem;
  }
  .readout {
    flex: 1;
    min-inline-size: 0;
    min-block-size: 1.4em;
    color: var(--_quiet);
    font-variant-numeric: tabular-nums;
    overflow-wrap: anywhere;
  }
  .menu {
    position: relative;
    flex: none;
  }
  .menu .items {
    position: absolute;
    inset-inline-end: 0;
    z-index: 5;
    display: flex;
    flex-direction: column;
    background: var(--_surface);
    border: 1px solid var(--_line);
    border-radius: 6px;
    padding: 0.2rem;
    box-shadow: 0 4px 14px rgb(0 0 0 / 0.18);
  }
  .menu summary {
    list-style: none;
    min-inline-size: 24px;
    text-align: center;
    border-radius: 4px;
    font-weight: 700;
  }
  .menu summary::-webkit-details-marker {
    display: none;
  }
  .menu summary:hover {
    background: var(--_raised);
  }
  .menu button {
    all: unset;
    padding: 0.15rem 0.9rem;
    white-space: nowrap;
    border-radius: 4px;
    cursor: pointer;
  }
  .menu button:hover,
  .menu button:focus-visible {
    background: var(--_raised);
  }
  .menu button:focus-visible {
    outline: 2px solid var(--_accent);
  }
  .data .scroll {
    max-block-size: 20rem;
    overflow: auto;
    max-inline-size: 100%;
  }
  .note {
    color: var(--_quiet);
    margin: 0.3rem 0;
  }
  .probe {
    position: absolute;
    inline-size: 0;
    block-size: 0;
    overflow: hidden;
    pointer-events: none;
    color: var(--_text);
    background-color: var(--_surface);
    transition:
      color 1ms,
      background-color 1ms;
  }
`;
