import { css } from 'lit';

export default css`
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
  :host(:not([still])) canvas.mini {
    inset: 0 0 auto auto;
    margin: 6px;
    cursor: default;
    pointer-events: none;
    border: 1px solid var(--_line);
    background: var(--_surface);
  }
  :host(:not([still])) canvas.before {
    pointer-events: none;
    opacity: 0;
  }
  .over {
    position: absolute;
    inset: 0;
    inline-size: 100%;
    block-size: 100%;
    pointer-events: none;
  }
  .rubber {
    fill: var(--_accent);
    fill-opacity: 0.2;
    stroke: var(--_accent);
    vector-effect: non-scaling-stroke;
  }
  .axis {
    display: block;
  }
  .zoom {
    display: flex;
    flex-wrap: wrap;
    gap: 0.2rem 0.9rem;
    align-items: center;
    color: var(--_quiet);
  }
  .zoom button {
    font: inherit;
    color: inherit;
    background: var(--_surface);
    border: 1px solid var(--_line);
    border-radius: 6px;
    padding: 0.1rem 0.6rem;
    cursor: pointer;
  }
`;
