import { css } from 'lit';
import { tokens } from '../styles.js';
import controls from './control-styles.js';

const shell = css`
  :host {
    display: block;
    background: var(--ground);
    color: var(--ink);
    font-family: var(--es-font);
    min-block-size: var(--page-height, 100vh);
  }
  .alone {
    max-inline-size: 40rem;
    margin: 4rem auto;
    padding-inline: 1rem;
  }
  .state {
    display: grid;
    place-items: center;
    min-block-size: 8rem;
    margin-block: 1rem;
    border: 1px dashed var(--strong);
    border-radius: 8px;
    color: var(--ink2);
    padding: 1rem;
    text-align: center;
    overflow-wrap: anywhere;
  }
  .state[role='alert'],
  .warning,
  .said {
    color: var(--problem);
  }
  .warning,
  .said {
    margin: 0 0 0.75rem;
    overflow-wrap: anywhere;
  }
  .page {
    display: grid;
    grid-template: 52px minmax(0, 1fr) auto / 136px minmax(0, 1fr);
    grid-template-areas: 'head head' 'strip stage' 'dock dock';
    block-size: 100vh;
    block-size: var(--page-height, 100dvh);
    min-block-size: 520px;
  }
  .page.single {
    grid-template-columns: minmax(0, 1fr);
    grid-template-areas: 'head' 'stage';
    grid-template-rows: 52px minmax(0, 1fr);
  }
  .icon {
    display: block;
  }

  /* Head */
  .head {
    grid-area: head;
    display: flex;
    align-items: center;
    gap: 0;
    padding-inline: 32px 24px;
    border-block-end: 1px solid var(--line);
    min-inline-size: 0;
    position: relative;
    z-index: 20;
    background: var(--ground);
  }
  .skip:not(:focus) {
    clip-path: inset(50%);
  }
  .skip {
    position: absolute;
    inset-block-start: 0.4rem;
    background: var(--surface);
    color: var(--ink);
    padding: 0.5rem;
    z-index: 5;
  }
  .brand {
    display: flex;
    align-items: center;
    gap: 8px;
    font-weight: 650;
    font-size: 15px;
    letter-spacing: -0.01em;
  }
  .logo .ground {
    fill: var(--strong);
  }
  .logo {
    fill: var(--ink);
  }
  .run {
    display: flex;
    align-items: center;
    gap: 6px;
    min-inline-size: 0;
    margin-inline-start: 20px;
    padding-inline-start: 20px;
    border-inline-start: 1px solid var(--line);
    font-size: 14px;
    white-space: nowrap;
    overflow: hidden;
    flex: 1 1 8rem;
  }
  .run strong {
    flex: 0 1 auto;
    min-inline-size: 4rem;
    font-weight: 600;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .run .about {
    flex: 0 999 auto;
    color: var(--ink2);
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .run-select {
    inline-size: auto;
    max-inline-size: 11rem;
    font-weight: 600;
  }
  .live-dot {
    display: inline-block;
    inline-size: 9px;
    block-size: 9px;
    margin: 2px;
    border-radius: 50%;
    background: var(--ink);
    box-shadow: 0 0 0 3px var(--strong);
    flex: none;
  }
  .tabs {
    display: flex;
    align-self: stretch;
    margin-inline-start: auto;
    padding-inline-start: 16px;
    flex: 0 1 auto;
    min-inline-size: 0;
    overflow: auto hidden;
    scrollbar-width: none;
  }
  .tab {
    position: relative;
    border: 0;
    background: none;
    padding: 0 8px;
    font-size: 14px;
    color: var(--ink2);
    white-space: nowrap;
  }
  .tab:hover {
    color: var(--ink);
  }
  .tab[aria-current] {
    color: var(--ink);
    font-weight: 600;
  }
  .tab[aria-current]::after {
    content: '';
    position: absolute;
    inset: auto 8px 0;
    block-size: 2px;
    background: var(--ink);
  }
  .tab:focus-visible {
    outline-offset: -3px;
  }
  .hollow {
    display: inline-block;
    inline-size: 4px;
    block-size: 4px;
    border: 1px solid currentColor;
    border-radius: 50%;
    vertical-align: 2px;
    margin-inline-start: 3px;
  }
  .tools {
    display: flex;
    align-items: center;
    gap: 4px;
    margin-inline-start: 12px;
    padding-inline-start: 12px;
    border-inline-start: 1px solid var(--line);
    flex: none;
  }
  .quiet-button {
    display: inline-grid;
    place-items: center;
    inline-size: 32px;
    block-size: 32px;
    border: 0;
    border-radius: 6px;
    background: none;
    color: var(--ink2);
    cursor: pointer;
    list-style: none;
  }
  .quiet-button::-webkit-details-marker {
    display: none;
  }
  .quiet-button:hover:not(:disabled) {
    background: var(--wash);
    color: var(--ink);
  }
  .quiet-button:disabled {
    color: var(--strong);
  }
  .menu {
    position: relative;
  }
  .menu .items {
    position: absolute;
    inset: calc(100% + 6px) 0 auto auto;
    z-index: 30;
    display: grid;
    gap: 2px;
    inline-size: 17rem;
    padding: 8px;
    border: 1px solid var(--strong);
    border-radius: 8px;
    background: var(--surface);
    box-shadow: 0 8px 28px rgb(0 0 0 / 0.14);
  }
  .menu .items button,
  .menu .items label {
    display: flex;
    align-items: center;
    gap: 8px;
    min-block-size: 32px;
    padding: 0 8px;
    border: 0;
    border-radius: 4px;
    background: none;
    text-align: start;
    color: var(--ink);
  }
  .menu .items button {
    justify-content: space-between;
  }
  .menu .items button:hover:not(:disabled) {
    background: var(--wash);
  }
  .menu .items button:disabled {
    color: var(--ink3);
  }
  .menu kbd {
    font: inherit;
    color: var(--ink3);
  }
  .menu .stack {
    white-space: nowrap;
  }
  .menu .hint {
    margin: 6px 8px 2px;
    color: var(--ink3);
    font-size: 12px;
    line-height: 16px;
  }

  /* Strip */
  .strip {
    grid-area: strip;
    padding: 18px 8px 12px 32px;
    overflow-y: auto;
    min-block-size: 0;
    scrollbar-width: thin;
  }
  .strip-head,
  .grid-head {
    display: flex;
    justify-content: space-between;
    font-size: 11px;
    line-height: 16px;
    color: var(--ink2);
    block-size: 16px;
    margin-block-end: 4px;
  }
  .strip-head {
    padding-inline-end: 0;
  }
  .rows {
    display: flex;
    flex-direction: column;
    gap: 3px;
  }
  .row {
    display: grid;
    grid-template-columns: 1fr 38px 18px;
    gap: 6px;
    align-items: center;
    block-size: 38px;
    flex: none;
    padding: 0;
    border: 0;
    background: none;
    text-align: start;
    color: var(--ink2);
    font-size: 12px;
    line-height: 16px;
  }
  .row.gap,
  .grid-row.gap {
    margin-block-start: 5px;
  }
  .row .name {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .row .box,
  .epoch-thumb .box {
    display: block;
    background: var(--wash);
    outline: 1px solid var(--line);
    outline-offset: -1px;
  }
  .row .box {
    inline-size: 38px;
    block-size: 38px;
  }
  .row .count {
    color: var(--ink3);
    font-size: 11px;
    font-variant-numeric: tabular-nums;
  }
  .row.dim {
    opacity: 0.55;
  }
  .row:hover .name {
    color: var(--ink);
  }
  .row[aria-current] {
    opacity: 1;
    color: var(--ink);
    font-weight: 650;
  }
  .row[aria-current] .box,
  .epoch-thumb[aria-current] .box,
  .cell-button[aria-current] {
    outline: 2px solid var(--ink);
    outline-offset: 1px;
  }
  .row:focus-visible {
    outline-offset: 1px;
  }
  canvas.thumb,
  canvas.mean {
    display: block;
  }

  /* Stage */
  .stage {
    grid-area: stage;
    min-inline-size: 0;
    min-block-size: 0;
    overflow: auto;
    padding: 22px 32px 12px 12px;
    outline: none;
    container-type: size;
    scrollbar-width: thin;
  }
  .single .stage {
    padding-inline-start: 32px;
  }
  .story {
    display: grid;
    grid-template-columns: auto minmax(20rem, 1fr);
    gap: 44px;
    min-block-size: 100%;
  }
  .picture {
    position: relative;
    --side: min(calc(100cqb - 8px), calc(58cqi - 60px));
    inline-size: var(--side);
    margin-inline-end: 56px;
  }
  .picture es-tendency-image {
    inline-size: var(--side);
  }
  .picture es-tendency-image::part(export) {
    position: absolute;
    inset: -8px -50px auto auto;
  }
  .picture es-tendency-image::part(readout) {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
  }
  .new-sample {
    display: flex;
    gap: 12px;
    align-items: center;
    margin-block-end: 12px;
    padding: 8px 12px;
    border-inline-start: 3px solid var(--follow);
    background: var(--wash);
  }
  .new-sample p {
    margin: 0;
  }
  .live-charts {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(15rem, 100%), 1fr));
    gap: 8px 24px;
    margin-block-end: 12px;
  }
  .live-charts section {
    min-inline-size: 0;
  }
  .inside {
    position: absolute;
    inset: auto 5% 4% 8%;
    margin: 0;
    padding: 0.35rem 0.6rem;
    border-radius: 4px;
    max-inline-size: 26rem;
    background: rgb(12 16 24 / 0.78);
    color: #e6e8eb;
    font-size: 13px;
  }
  .inside button {
    border: 0;
    background: none;
    padding: 0;
    min-block-size: 24px;
    color: inherit;
    text-decoration: underline;
    text-underline-offset: 3px;
  }
  .gutter {
    position: absolute;
    inset-block-start: 0;
    inset-inline-start: calc(100% + 4px);
    block-size: var(--side);
    inline-size: 56px;
  }
  .beside {
    position: absolute;
    display: flex;
    align-items: center;
    gap: 2px;
    translate: 0 -50%;
    block-size: 30px;
    padding: 0;
    border: 0;
    background: none;
    color: var(--ink2);
    font-size: 12px;
  }
  .beside .letter {
    inline-size: 16px;
    text-align: start;
  }
  .beside.follow {
    color: var(--follow);
    font-weight: 650;
  }
  .beside.follow canvas {
    outline: 1.5px solid var(--follow);
  }
  .words {
    max-inline-size: 44rem;
    min-inline-size: 0;
  }
  .kicker {
    margin: 0 0 12px;
    color: var(--ink2);
  }
  h1 {
    margin: 0;
    font-size: 34px;
    line-height: 40px;
    font-weight: 640;
    letter-spacing: -0.018em;
    text-wrap: balance;
  }
  h1.title {
    font-size: 24px;
    line-height: 30px;
  }
  h2.small {
    margin: 18px 0 8px;
    font-size: 12px;
    line-height: 16px;
    font-weight: 600;
  }
  h2.small span {
    margin-inline-start: 6px;
    font-weight: 400;
    color: var(--ink3);
  }
  dl.large {
    display: flex;
    flex-wrap: wrap;
    gap: 8px 36px;
    margin: 22px 0 0;
  }
  dl.large > div {
    display: flex;
    flex-direction: column-reverse;
  }
  dl.large dd {
    margin: 0;
    font-size: 24px;
    line-height: 28px;
    font-weight: 560;
  }
  dl.large dt {
    color: var(--ink2);
    font-size: 12px;
    line-height: 18px;
  }
  dl.large.tall {
    flex-direction: column;
    gap: 14px;
    margin-block-start: 12px;
  }
  hr {
    border: 0;
    border-block-start: 1px solid var(--line);
    margin: 20px 0 18px;
  }
  .reading {
    margin: 0 0 10px;
    color: var(--ink2);
    font-size: 14px;
    line-height: 20px;
    max-inline-size: 47rem;
  }
  .reading strong {
    color: var(--ink);
    font-weight: 600;
  }
  .scale-key {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 2px 8px;
    margin: 0;
    color: var(--ink2);
    font-size: 12px;
  }
  canvas.ramp {
    inline-size: 120px;
    block-size: 10px;
    image-rendering: pixelated;
  }
  .bars {
    display: grid;
    gap: 0;
  }
  .bar-row {
    display: grid;
    grid-template-columns: 18px minmax(0, 1fr) 6.2rem;
    gap: 4px;
    align-items: center;
    block-size: 16px;
    padding: 0;
    border: 0;
    background: none;
    text-align: start;
    color: var(--ink2);
    font-size: 11px;
    line-height: 16px;
  }
  .bar-row .bar {
    display: flex;
    block-size: 8px;
    gap: 1px;
  }
  .bar-row:hover,
  .bar-row[aria-pressed='true'] {
    color: var(--ink);
    background: var(--wash);
  }
  .bar-row.follow {
    color: var(--follow);
    font-weight: 600;
  }
  .bar-row .share {
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .members {
    margin-block-start: 10px;
  }
  .members p {
    display: flex;
    align-items: center;
    gap: 10px;
    margin: 0 0 6px;
  }

  /* Clusters */
  .clusters {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: 44px;
  }
  .layer-grid {
    margin-block-start: -4px;
  }
  .grid-head,
  .grid-row {
    display: grid;
    grid-auto-flow: column;
    grid-auto-columns: 38px;
    gap: 3px;
  }
  .grid-head span {
    text-align: center;
  }
  .grid-head .now {
    font-weight: 650;
    color: var(--ink);
  }
  .grid-row {
    block-size: 38px;
  }
  .cell-button {
    display: block;
    inline-size: 38px;
    block-size: 38px;
    padding: 0;
    border: 0;
    background: none;
    outline: 1px solid var(--line);
    outline-offset: -1px;
  }
  .cell-button:hover:not(:disabled) {
    outline-color: var(--ink3);
  }
  .cell-button .none {
    display: block;
    block-size: 100%;
    background: var(--wash);
  }
  .clusters .pair {
    display: flex;
    flex-wrap: wrap;
    gap: 8px 16px;
    margin-block-start: 26px;
  }
  .clusters .picture {
    --side: min(calc(100cqb - 190px), 34cqi);
  }
  .column {
    min-inline-size: 7rem;
    max-inline-size: 14rem;
  }
  .column h2.small {
    margin-block-start: 0;
    font-size: 14px;
  }
  .column .about {
    margin: 0;
    color: var(--ink2);
  }
  .more {
    margin-block: 24px;
  }
  .more summary {
    color: var(--ink2);
  }

  /* Methods */
  .method-head {
    display: flex;
    justify-content: space-between;
    gap: 24px;
    margin-block-end: 20px;
  }
  .method-head .reading {
    margin: 6px 0 4px;
  }
  .method-head .paper {
    margin: 0;
    color: var(--ink3);
  }
  .method-head label {
    flex: none;
    color: var(--ink2);
  }
`;

const lower = css`
  /* Dock */
  .dock {
    grid-area: dock;
    display: grid;
    grid-template-columns: 130px minmax(0, 1fr) 130px;
    gap: 32px;
    block-size: 122px;
    box-sizing: border-box;
    padding: 8px 32px 0;
    border-block-start: 1px solid var(--line);
    background: var(--surface);
    position: relative;
    z-index: 10;
  }
  .dock.following {
    block-size: 144px;
  }
  .dock p {
    margin: 0;
  }
  .now .epoch {
    white-space: nowrap;
    padding-block-start: 6px;
  }
  .now strong {
    font-size: 20px;
    line-height: 24px;
    font-weight: 640;
    letter-spacing: -0.01em;
  }
  .now .epoch span {
    color: var(--ink2);
  }
  .buttons {
    display: flex;
    align-items: center;
    gap: 4px;
    margin-block-start: 6px;
  }
  .play {
    display: grid;
    place-items: center;
    inline-size: 36px;
    block-size: 36px;
    border: 0;
    border-radius: 50%;
    background: var(--ink);
    color: var(--surface);
  }
  .play:disabled {
    background: var(--strong);
  }
  .unfollow {
    border: 0;
    background: none;
    padding: 0;
    margin-block-start: 8px;
    min-block-size: 24px;
    color: var(--follow);
    font-size: 14px;
    font-weight: 600;
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
    max-inline-size: 100%;
  }
  .plot {
    position: relative;
    min-inline-size: 0;
    margin-inline: 26px;
  }
  .curves {
    display: block;
    inline-size: 100%;
    block-size: 50px;
    overflow: visible;
  }
  .curves path {
    fill: none;
    vector-effect: non-scaling-stroke;
  }
  .curves .grid {
    stroke: var(--line);
    stroke-width: 1;
  }
  .curves .acc {
    stroke: var(--ink);
    stroke-width: 1.7;
  }
  .curves .loss {
    stroke: var(--ink3);
    stroke-width: 1.4;
  }
  .curves .trained {
    stroke-dasharray: 3 2.5;
  }
  .hand {
    position: absolute;
    inset-block: 0 auto;
    block-size: 52px;
    inline-size: 1.5px;
    translate: -50% 0;
    background: var(--ink);
    pointer-events: none;
  }
  .dot {
    position: absolute;
    inline-size: 9px;
    block-size: 9px;
    translate: -50% -50%;
    border-radius: 50%;
    background: var(--ink);
    pointer-events: none;
  }
  .slider {
    position: absolute;
    inset: 0 -8px auto;
    inline-size: calc(100% + 16px);
    block-size: 50px;
    margin: 0;
    opacity: 0.0001;
    cursor: ew-resize;
  }
  .plot:has(.slider:focus-visible) .curves {
    outline: 2px solid var(--focus);
    outline-offset: 4px;
  }
  .thumbs {
    position: absolute;
    inset: 53px 0 auto;
  }
  .epoch-thumb {
    position: absolute;
    translate: -50% 0;
    display: grid;
    justify-items: center;
    gap: 4px;
    padding: 0;
    border: 0;
    background: none;
    color: var(--ink2);
    font-size: 11px;
    line-height: 14px;
    font-variant-numeric: tabular-nums;
  }
  .epoch-thumb .box {
    min-inline-size: 20px;
    min-block-size: 20px;
  }
  .odd {
    position: absolute;
    inset-block-start: 0;
    translate: -50% 0;
    inline-size: 16px;
    block-size: 16px;
    padding: 0;
    border: 2px solid #ee7733;
    border-radius: 50%;
    background: var(--surface, Canvas);
    color: var(--ink);
    font-size: 11px;
    font-weight: 700;
    line-height: 10px;
    cursor: pointer;
    z-index: 2;
  }
  .epoch-thumb[aria-current] {
    color: var(--ink);
    font-weight: 650;
    z-index: 1;
  }
  .chip {
    position: relative;
    min-inline-size: 9px;
    padding: 0 3px;
    border: 1.5px solid var(--follow);
    border-radius: 4px;
    color: var(--follow);
    font-size: 11px;
    line-height: 13px;
    font-weight: 600;
    text-align: center;
  }
  .chip.plain {
    border-style: dotted;
  }
  .chip.right {
    background: var(--follow);
    color: var(--surface);
  }
  .dock .figures {
    padding-block-start: 8px;
    color: var(--ink2);
    font-size: 12px;
    line-height: 16px;
  }
  .dock .figures p {
    margin-block-end: 6px;
  }
  .dock .figures strong {
    color: var(--ink);
    font-weight: 600;
  }
  .key {
    display: inline-block;
    vertical-align: -1px;
    margin-inline-end: 4px;
  }
  .key.ring {
    inline-size: 6px;
    block-size: 6px;
    border: 1.5px solid var(--follow);
    border-radius: 50%;
  }
  .key.chip {
    inline-size: 5px;
    block-size: 5px;
    min-inline-size: 5px;
    padding: 0;
    border-radius: 2px;
  }

  /* From 1600 */
  @media (min-width: 1600px) {
    .page:not(.single) {
      grid-template-columns: 168px minmax(0, 1fr);
    }
    .head {
      padding-inline: 40px 32px;
    }
    .strip {
      padding-inline-start: 40px;
    }
    .stage {
      padding-inline-end: 40px;
    }
    .dock {
      padding-inline: 40px;
      block-size: 142px;
    }
    .dock.following {
      block-size: 164px;
    }
    h1:not(.title) {
      font-size: 48px;
      line-height: 54px;
    }
  }
  /* Beside the tabs of all methods there is room for the run's name alone, and in narrower windows they have a row of their own. */
  @media (max-width: 1500px) {
    .many .run .about {
      display: none;
    }
  }
  @media (max-width: 1400px) {
    .many .brand span {
      display: none;
    }
  }
  @media (max-width: 1240px) {
    .run .about {
      display: none;
    }
    .brand span {
      display: none;
    }
  }
  @media (min-width: 1001px) and (max-width: 1260px) {
    .page.many {
      grid-template-rows: 52px 44px minmax(0, 1fr) auto;
      grid-template-areas: 'head head' 'tabs tabs' 'strip stage' 'dock dock';
    }
    .many .tabs {
      position: absolute;
      inset: 51px 0 auto;
      block-size: 44px;
      margin: 0;
      padding-inline: 24px;
      border-block-end: 1px solid var(--line);
      background: var(--ground);
    }
    .many .tools {
      margin-inline-start: auto;
    }
  }
  @media (max-width: 1000px) {
    .page {
      grid-template: 52px 44px minmax(0, 1fr) auto / 128px minmax(0, 1fr);
      grid-template-areas: 'head head' 'tabs tabs' 'strip stage' 'dock dock';
    }
    .page.single {
      grid-template-rows: 52px 44px minmax(0, 1fr);
      grid-template-areas: 'head' 'tabs' 'stage';
    }
    .head {
      padding-inline: 16px;
      block-size: 52px;
    }
    .tabs {
      position: absolute;
      inset: 52px 0 auto;
      block-size: 44px;
      margin: 0;
      padding-inline: 8px;
      overflow-x: auto;
      overflow-y: hidden;
      scrollbar-width: none;
      border-block-end: 1px solid var(--line);
      background: var(--ground);
    }
    .tabs .tab[aria-current]::after {
      inset-block-end: 0;
    }
    .tools {
      margin-inline-start: auto;
      border: 0;
    }
    .strip {
      padding-inline-start: 16px;
    }
    .stage {
      padding-inline-end: 16px;
      container-type: inline-size;
    }
    .story,
    .clusters {
      grid-template-columns: minmax(0, 1fr);
      gap: 20px;
    }
    .story .words {
      display: contents;
    }
    .story .kicker {
      order: -3;
      margin: 0;
    }
    .story h1 {
      order: -2;
      margin-block-start: -12px;
    }
    .story .picture {
      order: -1;
    }
    .story dl.large {
      margin: 0;
    }
    .story hr {
      display: none;
    }
    .picture,
    .clusters .picture {
      --side: min(calc(100cqi - 58px), 640px);
    }
    .dock {
      padding-inline: 16px;
      gap: 12px;
      grid-template-columns: 118px minmax(0, 1fr) 118px;
    }
    .clusters .side {
      order: -1;
    }
    .layer-grid {
      overflow-x: auto;
      padding: 4px 2px;
    }
  }
  /* A phone: the page scrolls, the strip is a row, the dock stays. */
  @media (max-width: 700px) {
    .page,
    .page.single {
      display: block;
      block-size: auto;
      min-block-size: 100dvh;
      padding-block-end: 112px;
    }
    .page.single {
      padding-block-end: 16px;
    }
    .head {
      position: sticky;
      inset-block-start: 0;
      block-size: 48px;
    }
    .tabs {
      inset-block-start: 48px;
    }
    .strip {
      margin-block-start: 44px;
      padding: 8px 16px 0;
      overflow: visible;
    }
    .single .stage {
      margin-block-start: 44px;
    }
    .strip-head {
      display: none;
    }
    .strip .rows {
      flex-direction: row;
      gap: 8px;
      overflow-x: auto;
      margin-inline: -16px;
      padding: 4px 16px 6px;
      scrollbar-width: none;
      position: relative;
    }
    .row {
      grid-template: 38px 16px / 40px;
      gap: 2px;
      block-size: 58px;
      text-align: center;
      justify-items: center;
    }
    .row .box {
      grid-row: 1;
    }
    .row .name {
      max-inline-size: 44px;
    }
    .row .count {
      display: none;
    }
    .row.gap {
      margin: 0 0 0 6px;
    }
    .stage,
    .single .stage {
      overflow: visible;
      padding: 16px;
    }
    .run {
      margin-inline-start: 10px;
      padding-inline-start: 10px;
    }
    h1:not(.title) {
      font-size: 26px;
      line-height: 31px;
    }
    .dock,
    .dock.following {
      position: fixed;
      inset: auto 0 0;
      block-size: 110px;
      padding: 6px 16px 0;
      grid-template-columns: 70px minmax(0, 1fr);
      gap: 8px;
    }
    .dock .figures,
    .buttons .step {
      display: none;
    }
    .now strong {
      font-size: 15px;
      line-height: 20px;
    }
    .now .epoch {
      padding: 0;
    }
    .now .epoch span {
      display: none;
    }
    .buttons {
      margin: 0;
    }
    .unfollow {
      margin: 0;
      font-size: 11px;
      inline-size: 76px;
    }
    .plot {
      margin-inline: 14px 18px;
    }
    .curves {
      block-size: 36px;
    }
    .slider {
      block-size: 38px;
    }
    .hand {
      block-size: 38px;
    }
    .dot {
      display: none;
    }
    .thumbs {
      inset-block-start: 40px;
    }
    .epoch-thumb {
      gap: 2px;
    }
    .method-head {
      flex-direction: column;
      gap: 8px;
    }
  }
  @media (prefers-reduced-motion: no-preference) {
    .hand,
    .dot {
      transition: left 0.25s;
    }
  }
  .unready {
    display: none;
  }
  @media print {
    .page,
    .page.single {
      display: block;
      block-size: auto;
    }
    .stage {
      overflow: visible;
      container-type: inline-size;
      padding: 0;
    }
    .dock,
    .strip,
    .tabs,
    .tools,
    .skip {
      display: none;
    }
    .picture {
      --side: min(100cqi, 14cm);
    }
    .story {
      grid-template-columns: minmax(0, 1fr);
    }
    .method,
    .clusters,
    .story {
      break-before: page;
    }
    .stage > div:first-of-type {
      break-before: auto;
    }
    .more {
      display: none;
    }
    .unready {
      display: block;
    }
  }
`;

export default [tokens, controls, shell, lower];
