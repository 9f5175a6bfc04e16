import { css } from 'lit';

export default css`
      :host {
        container-type: inline-size;
      }
      .controls {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem 1.5rem;
        margin-block: 0.5rem 1rem;
        align-items: center;
      }
      fieldset {
        border: 0;
        padding: 0;
        margin: 0;
        display: flex;
        flex-wrap: wrap;
        gap: 0 0.8rem;
        min-inline-size: 0;
      }
      legend {
        float: left;
        padding: 0;
        color: var(--_quiet);
      }
      .split {
        display: grid;
        grid-template-columns: minmax(0, 3fr) minmax(0, 2fr);
        gap: 2rem;
        margin-block-start: 1.5rem;
        align-items: start;
      }
      @container (max-width: 760px) {
        .split {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      h3 {
        margin: 0 0 0.5rem;
        font-size: 1rem;
      }
      .player {
        display: flex;
        flex-wrap: wrap;
        gap: 0.3rem 0.7rem;
        align-items: center;
        margin-block-end: 0.5rem;
      }
      .player input {
        flex: 1;
        min-inline-size: 6rem;
        accent-color: var(--_accent);
      }
      .player button,
      select {
        font: inherit;
        color: inherit;
        background: var(--_surface);
        border: 1px solid var(--_line);
        border-radius: 6px;
        padding: 0.15rem 0.7rem;
        max-inline-size: 100%;
      }
      .samples {
        margin-block-start: 1.5rem;
      }
      .later {
        margin-block-start: 2rem;
      }
      .reason {
        color: var(--_quiet);
        font-style: italic;
      }
  .sizes {
    max-inline-size: 100%;
    overflow-x: auto;
  }
`;
