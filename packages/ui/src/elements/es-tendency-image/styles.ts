import { css } from 'lit';

export default css`
  :host {
    display: block;
    max-inline-size: 100%;
  }
  figure {
    margin: 0;
  }
  .frame {
    position: relative;
    inline-size: 100%;
    aspect-ratio: 1;
  }
  canvas {
    position: absolute;
    inset: 0;
    inline-size: 100%;
    block-size: 100%;
    display: block;
  }
  :host(:not([still])) canvas {
    cursor: crosshair;
    touch-action: none;
  }
  .rubber {
    position: absolute;
    border: 1px solid var(--_accent);
    background: color-mix(in srgb, var(--_accent) 20%, transparent);
    pointer-events: none;
  }
  .readout {
    min-block-size: 1.4em;
    color: var(--_quiet);
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .bar {
    display: flex;
    gap: 0.5rem;
    align-items: baseline;
    justify-content: space-between;
  }
  .empty {
    display: grid;
    place-items: center;
    block-size: 100%;
    color: var(--_quiet);
    border: 1px dashed var(--_line);
    padding: 1rem;
    text-align: center;
    box-sizing: border-box;
  }
`;
