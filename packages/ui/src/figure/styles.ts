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
  .plot > canvas,
  .plot > svg {
    position: absolute;
    inset: 0;
    display: block;
  }
  svg text {
    fill: var(--_text);
    font-size: 12px;
    font-family: inherit;
  }
  svg .tick,
  svg .title {
    fill: var(--_quiet);
  }
  svg .axis {
    stroke: var(--_quiet);
    shape-rendering: crispEdges;
  }
  svg .grid {
    stroke: var(--_line);
    shape-rendering: crispEdges;
  }
  [data-mark][role='button'] {
    cursor: pointer;
  }
  svg [data-mark]:focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: 1px;
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
  .menu button {
    all: unset;
    padding: 0.15rem 0.9rem;
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
