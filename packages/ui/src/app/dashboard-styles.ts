import { css } from 'lit';
import { tokens } from '../styles.js';

export default [
  tokens,
  css`
    :host {
      display: block;
    }
    .state {
      display: grid;
      place-items: center;
      min-block-size: 8rem;
      margin-block: 1rem;
      border: 1px dashed var(--_line);
      border-radius: 6px;
      color: var(--_quiet);
      padding: 1rem;
      text-align: center;
      overflow-wrap: anywhere;
    }
    .state[role='alert'],
    .warning {
      color: light-dark(#a02020, #ff9a8a);
    }
    .quiet {
      color: var(--_quiet);
    }
    .bar {
      position: sticky;
      inset-block-start: 0;
      z-index: 10;
      background: var(--_surface);
      border-block-end: 1px solid var(--_line);
      padding-block: 0.5rem;
      margin-block-end: 1rem;
    }
    .line {
      display: flex;
      flex-wrap: wrap;
      gap: 0.5rem 1.5rem;
      align-items: center;
    }
    .slider {
      flex: 1 1 24rem;
    }
    .chips {
      display: flex;
      flex-wrap: wrap;
      gap: 0.4rem;
      margin-block-start: 0.4rem;
      min-block-size: 1.8rem;
      align-items: center;
    }
    button,
    select,
    input[type='search'] {
      font: inherit;
      color: inherit;
      background: var(--_surface);
      border: 1px solid var(--_line);
      border-radius: 6px;
      padding: 0.2rem 0.6rem;
    }
    select {
      max-inline-size: 12rem;
    }
    button {
      cursor: pointer;
    }
    .chip {
      border-radius: 1rem;
      border-color: var(--_accent);
    }
    .chip:hover {
      background: var(--_raised);
    }
    nav {
      display: flex;
      flex-wrap: wrap;
      gap: 0 0.2rem;
      margin-inline-start: auto;
    }
    .jump {
      border-color: transparent;
      color: var(--_accent);
      padding-inline: 0.4rem;
    }
    .jump:hover {
      text-decoration: underline;
    }
    es-result-panel:focus-visible {
      outline: none;
    }
    h2 {
      margin: 0 0 0.5rem;
      font-size: 1.15rem;
    }
    h3 {
      margin: 0 0 0.4rem;
      font-size: 0.95rem;
      color: var(--_quiet);
      font-weight: 600;
    }
    dl {
      display: flex;
      flex-wrap: wrap;
      gap: 0.2rem 1.5rem;
      margin: 0 0 1rem;
    }
    dl > div {
      display: flex;
      gap: 0.5rem;
      min-inline-size: 0;
    }
    dt {
      color: var(--_quiet);
    }
    dd {
      margin: 0;
      overflow-wrap: anywhere;
    }
    .split {
      display: grid;
      grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr));
      gap: 1rem 2rem;
      align-items: start;
    }
    .split > div {
      min-inline-size: 0;
    }
    .filters {
      display: flex;
      flex-wrap: wrap;
      gap: 0.3rem 1rem;
      align-items: center;
    }
    input[type='search'] {
      inline-size: 7rem;
    }
    input[type='checkbox'] {
      accent-color: var(--_accent);
    }
    section {
      margin-block-end: 1.5rem;
    }
  `,
];
