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
  .rubber {
    position: absolute;
    border: 1px solid var(--_accent);
    background: color-mix(in srgb, var(--_accent) 20%, transparent);
    pointer-events: none;
  }
`;
