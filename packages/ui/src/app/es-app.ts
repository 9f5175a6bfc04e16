import { filesOfDrop } from '@epochscope/analysis';
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { download } from '../figure/export.js';
import { tokens } from '../styles.js';
import controls from './control-styles.js';
import type { EsDashboard } from './es-dashboard.js';
import { HttpSource } from './http-source.js';
import { folderIcon, logo, playIcon, saveIcon, themeIcon } from './icons.js';
import { thousands } from './model.js';
import { isTraining, type RunSource } from './source.js';
import { netField, trainingFields, trainingOptions } from './training-form.js';
import type { MatrixSource } from './work/client.js';
import {
  BUNDLED,
  dataOf,
  type Given,
  type TrainingData,
  type TrainingOptions,
  trainingStart,
} from './work/types.js';

const isMatrix = (source: RunSource): source is MatrixSource => 'analyse' in source;

/**
 * The workbench: opens what is dropped anywhere on it, picked or given by its address, and shows it. What computes is loaded when the
 * first thing is opened. `source`: what it shows at first, as a server's page does.
 */
export class EsApp extends LitElement {
  static override styles = [
    tokens,
    controls,
    css`
      :host {
        display: block;
        min-block-size: 100vh;
        min-block-size: 100dvh;
        background: var(--ground);
        color: var(--ink);
        font-family: var(--es-font);
      }
      .tool {
        display: grid;
        place-items: center;
        inline-size: 32px;
        block-size: 32px;
        border: 0;
        border-radius: 6px;
        background: none;
        color: var(--ink2);
      }
      .tool:hover {
        background: var(--wash);
      }
      .with-bar {
        --page-height: calc(100dvh - var(--bar, 78px));
      }
      .low {
        --bar: 54px;
      }
      header {
        display: flex;
        align-items: center;
        gap: 8px;
        max-inline-size: 1152px;
        margin-inline: auto;
        padding: 16px 32px;
        font-weight: 650;
        font-size: 15px;
      }
      header .logo {
        fill: var(--ink);
      }
      header .ground {
        fill: var(--strong);
      }
      header button {
        margin-inline-start: auto;
        border: 0;
        background: none;
        inline-size: 32px;
        block-size: 32px;
        display: grid;
        place-items: center;
        color: var(--ink2);
      }
      main {
        max-inline-size: 1152px;
        margin-inline: auto;
        padding: 12px 32px 48px;
      }
      h1 {
        margin: 8px 0 14px;
        font-size: 48px;
        line-height: 52px;
        font-weight: 640;
        letter-spacing: -0.022em;
        text-wrap: balance;
        max-inline-size: 16em;
      }
      .lead {
        margin: 0 0 36px;
        max-inline-size: 34rem;
        color: var(--ink2);
        font-size: 17px;
        line-height: 26px;
      }
      .ways {
        display: grid;
        grid-template-columns: 1.35fr 1.1fr 1.1fr;
        border: 1px solid var(--strong);
        border-radius: 8px;
        background: var(--surface);
      }
      .ways > section {
        display: flex;
        flex-direction: column;
        padding: 20px 24px;
        border-inline-start: 1px solid var(--line);
      }
      .ways > section:first-child {
        border: 0;
      }
      h2 {
        margin: 0 0 4px;
        font-size: 15px;
        line-height: 22px;
        font-weight: 600;
      }
      section p {
        margin: 0 0 14px;
        color: var(--ink2);
      }
      .push {
        margin-block-start: auto;
      }
      .drop {
        display: flex;
        gap: 8px;
      }
      .drop button {
        flex: 1;
        display: flex;
        align-items: center;
        justify-content: center;
        gap: 8px;
        min-block-size: 36px;
        border: 1px dashed var(--ink3);
        border-radius: 6px;
        background: none;
        font-size: 14px;
        font-weight: 500;
      }
      .drop button:hover {
        background: var(--wash);
      }
      .address {
        display: flex;
      }
      .address input {
        border-start-end-radius: 0;
        border-end-end-radius: 0;
        min-inline-size: 0;
        min-block-size: 36px;
      }
      .address button {
        border-start-start-radius: 0;
        border-end-start-radius: 0;
        border-inline-start: 0;
      }
      .train .ink-button {
        display: flex;
        justify-content: center;
        align-items: center;
        gap: 8px;
        inline-size: 100%;
        min-block-size: 36px;
      }
      .train .fields {
        display: grid;
        gap: 4px;
        margin-block: 4px 10px;
      }
      .train label {
        display: grid;
        grid-template-columns: 5rem minmax(0, 1fr);
        align-items: center;
      }
      .said {
        margin: 16px 0 0;
        color: var(--problem);
        overflow-wrap: anywhere;
      }
      .busy {
        color: var(--ink2);
      }
      .reads {
        margin-block-start: 28px;
        color: var(--ink3);
        max-inline-size: 44rem;
      }
      .over {
        position: fixed;
        inset: 12px;
        z-index: 100;
        display: grid;
        place-items: center;
        border: 2px dashed var(--ink);
        border-radius: 8px;
        background: color-mix(in srgb, var(--ground) 82%, transparent);
        font-size: 24px;
        font-weight: 600;
        pointer-events: none;
      }
      .note {
        position: fixed;
        inset: auto 16px 160px auto;
        z-index: 60;
        max-inline-size: min(30rem, calc(100vw - 32px));
        padding: 10px 14px;
        border: 1px solid var(--strong);
        border-radius: 8px;
        background: var(--surface);
        color: var(--problem);
        overflow-wrap: anywhere;
      }
      @media (max-width: 820px) {
        .ways {
          grid-template-columns: minmax(0, 1fr);
        }
        .ways > section {
          border-inline-start: 0;
          border-block-start: 1px solid var(--line);
        }
        header,
        main {
          padding-inline: 16px;
        }
        h1 {
          font-size: 36px;
          line-height: 39px;
        }
      }
    `,
  ];
  @property({ attribute: false }) source: RunSource | null = null;
  /** What is being opened, in words. */
  @property({ state: true }) private busy: string = '';
  @property({ state: true }) private said: string = '';
  @property({ state: true }) private over: boolean = false;
  /** What a training from the start screen learns. */
  @property({ state: true }) private data: TrainingData = BUNDLED;
  /** The net of that training. */
  @property({ state: true }) private net: TrainingOptions['net'] = 'lenet5';
  private dragged = 0;
  /** Something was given: the page must not be loaded anew under it. */
  used = false;
  override connectedCallback(): void {
    super.connectedCallback();
    for (const [name, act] of this.drops) addEventListener(name, act as EventListener);
    const url = new URLSearchParams(location.search).get('run');
    if (url && !this.source) void this.openAddress(new URL(url, location.href).href);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const [name, act] of this.drops) removeEventListener(name, act as EventListener);
  }

  private readonly drops: readonly [string, (event: DragEvent) => void][] = [
    [
      'dragenter',
      (e) => {
        e.preventDefault();
        this.dragged++;
        this.over = true;
      },
    ],
    ['dragleave', () => (this.over = --this.dragged > 0)],
    ['dragover', (e) => e.preventDefault()],
    ['drop', (e) => void this.onDrop(e)],
  ];
  private async onDrop(event: DragEvent): Promise<void> {
    event.preventDefault();
    this.dragged = 0;
    this.over = false;
    const items = [...(event.dataTransfer?.items ?? [])].filter(({ kind }) => kind === 'file');
    if (!items.length) return;
    // Asked for within the event: afterwards the list is empty.
    const handle = (
      items[0] as DataTransferItem & { getAsFileSystemHandle?: () => Promise<FileSystemHandle> }
    )
      .getAsFileSystemHandle?.()
      .catch(() => null);
    const files = filesOfDrop(items);
    const plain = [...(event.dataTransfer?.files ?? [])].map((file): [string, File] => [file.name, file]);
    const one = items.length === 1 ? await handle : null;
    if (one?.kind === 'directory')
      return this.open({ kind: 'handle', handle: one as FileSystemDirectoryHandle });
    const found = await files;
    await this.open({ kind: 'files', files: found.length ? found : plain });
  }

  /** Opens something given; what cannot be opened is said, and what was there stays. */
  async open(given: Given): Promise<void> {
    this.said = '';
    this.busy =
      given.kind === 'url'
        ? given.url
        : given.kind === 'handle'
          ? given.handle.name
          : (given.files[0]?.[0] ?? 'files');
    try {
      if (given.kind === 'files' && (await this.place(given.files))) return;
      const { openGiven } = await import('./work/client.js');
      const source = await openGiven(given);
      if ('images' in source) {
        // Digits to train on: the start screen asks how.
        this.data = source;
        this.source = null;
        return;
      }
      if (this.source) history.replaceState(null, '', location.pathname + location.search);
      this.source = source;
    } catch (error) {
      this.said = (error as Error).message;
    } finally {
      this.busy = '';
    }
  }
  /** A sample of the shape that the opened run's net takes goes through it. Returns whether the files were one. */
  private async place(files: readonly [string, File][]): Promise<boolean> {
    const dashboard = this.renderRoot.querySelector<EsDashboard>('es-dashboard');
    const page = dashboard?.page();
    const computing = this.source?.computing;
    const shape = page?.manifest?.inputShape;
    if (!dashboard || !computing || !shape || !page.manifest?.model || files.length !== 1) return false;
    const [[path, file]] = files as [[string, File]];
    const inputs = await computing.samplesOf(file, shape);
    if (!inputs) return false;
    const name = path.replace(/\.\w+$/, '').replace(/[^\w.-]+/g, '_') || 'sample';
    const layers = page.panels?.layers;
    const how = { signal: new AbortController().signal, onProgress: () => {}, onNote: () => {} };
    await computing.compute(page.info.key, 'locate', { inputs, name, ...(layers ? { layers } : {}) }, how);
    await dashboard.followNew(name);
    return true;
  }

  /** Begins a training; one that was there ends. */
  private async train(options: TrainingOptions, digits: TrainingData): Promise<void> {
    this.used = true;
    this.said = '';
    const data = dataOf(options, digits);
    this.busy = data.id === null ? data.name : 'the digits';
    try {
      const { startTraining } = await import('./work/training-source.js');
      if (this.source && isTraining(this.source)) this.source.pause();
      history.replaceState(null, '', location.pathname + location.search);
      this.source = await startTraining(options, data);
    } catch (error) {
      this.said = (error as Error).message;
    } finally {
      this.busy = '';
    }
  }
  private async saveZip(): Promise<void> {
    const dashboard = this.renderRoot.querySelector<EsDashboard>('es-dashboard');
    const key = dashboard?.loader.key;
    if (!key || !this.source?.computing) return;
    this.busy = 'the zip';
    try {
      download(await this.source.computing.zip(key), `${key}.zip`);
    } catch (error) {
      this.said = (error as Error).message;
    } finally {
      this.busy = '';
    }
  }
  private async pickFolder(): Promise<void> {
    const pick = (window as { showDirectoryPicker?: (how: object) => Promise<FileSystemDirectoryHandle> })
      .showDirectoryPicker;
    if (!pick) return this.pickFiles(true);
    const handle = await pick({ mode: 'readwrite' }).catch((error: Error) => {
      if (error.name !== 'AbortError') this.said = error.message;
      return null;
    });
    if (handle) await this.open({ kind: 'handle', handle });
  }
  private pickFiles(folder = false): void {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = true;
    if (folder) input.webkitdirectory = true;
    input.addEventListener('change', () => {
      const files = [...(input.files ?? [])].map((file): [string, File] => [
        file.webkitRelativePath || file.name,
        file,
      ]);
      if (files.length) void this.open({ kind: 'files', files });
    });
    input.click();
  }

  override render(): TemplateResult {
    const { source, over, busy, said } = this;
    const matrix = source && isMatrix(source) ? source : null;
    const training = source && isTraining(source) ? source : null;
    return html`${over ? html`<div class="over">Drop it: a run, its zip, or a file of rows</div>` : nothing}
      ${
        source
          ? html`<div class=${matrix ? 'with-bar' : training ? 'with-bar low' : ''}>
              ${matrix ? html`<es-matrix-bar .source=${matrix}></es-matrix-bar>` : nothing}
              ${training ? html`<es-training-bar .source=${training} @es-train=${(e: CustomEvent<TrainingOptions>) => void this.train(e.detail, training.data)}></es-training-bar>` : nothing}
              <es-dashboard .source=${source}>
                ${'computing' in source && source.computing ? html`<button slot="tools" type="button" class="tool" title="Save the run and its results as a zip" aria-label="Save the run and its results as a zip" @click=${() => void this.saveZip()}>${saveIcon}</button>` : nothing}
                <button slot="tools" type="button" title="Open something else" aria-label="Open something else" class="tool" @click=${() => this.pickFiles()}>${folderIcon}</button>
              </es-dashboard>
            </div>
            ${said || busy ? html`<p class="note ${said ? '' : 'busy'}" role=${said ? 'alert' : 'status'}>${said || `Opening ${busy}…`}</p>` : nothing}`
          : this.start()
      }`;
  }

  /** What a training from the start screen learns, in words. */
  private learns(): TemplateResult {
    if (this.net === 'transformer')
      return html`One layer of attention on a + b mod p: its training pairs by heart at first, the rule all of a sudden, much later. The last layer is drawn as it learns.`;
    const { id, images, name } = this.data;
    return id === null
      ? html`On 8 000 bundled digits; the last layer is drawn as it learns. Or drop the IDX files of MNIST or its like.`
      : html`On ${thousands(images)} images of <strong>${name}</strong>; the last layer is drawn as it learns.`;
  }

  private start(): TemplateResult {
    return html`<header>${logo} Epochscope
        <button type="button" aria-label="Light or dark page" @click=${() => {
          const { style } = document.documentElement;
          const dark =
            getComputedStyle(this).getPropertyValue('color-scheme') === 'dark' ||
            (!style.colorScheme && matchMedia('(prefers-color-scheme: dark)').matches);
          style.colorScheme = style.colorScheme === 'dark' || (dark && !style.colorScheme) ? 'light' : 'dark';
        }}>${themeIcon}</button></header>
      <main>
        <h1>Watch a network learn, epoch by epoch.</h1>
        <p class="lead">Open a run, or any matrix. Epochscope draws how its layers sort what they see, from before the first step to the last. Everything stays in this page.</p>
        <div class="ways">
          <section>
            <h2>Open a run or a matrix</h2>
            <p>A run’s folder or its zip, checkpoints of another tool, or rows of numbers: .npy .npz .csv .tsv .safetensors. Drop it anywhere.</p>
            <div class="drop push">
              <button type="button" @click=${() => this.pickFiles()}>${folderIcon} Choose a file…</button>
              <button type="button" @click=${() => void this.pickFolder()}>a folder…</button>
            </div>
          </section>
          <section>
            <h2>Open an address</h2>
            <p>A run’s folder on any web server, or one served by <code>epochscope serve</code>.</p>
            <form class="address push" @submit=${(e: SubmitEvent) => {
              e.preventDefault();
              const url = new FormData(e.target as HTMLFormElement).get('url') as string;
              if (url) void this.openAddress(url);
            }}><input type="url" name="url" required placeholder="https://…" aria-label="Address of a run" /><button type="submit" class="plain-button">Open</button></form>
          </section>
          <section>
            <h2>Train one here</h2>
            <p>${this.learns()}</p>
            <form class="train push" @submit=${(e: SubmitEvent) => {
              e.preventDefault();
              void this.train(trainingOptions(e.target as HTMLFormElement), this.data);
            }}>
              ${netField(this.net, (net) => (this.net = net))}
              <details><summary>Epochs, rate, ${this.net === 'transformer' ? 'decay, p' : 'batch, noise'}, seed</summary><div class="fields">${trainingFields(trainingStart(this.net))}</div></details>
              <button type="submit" class="ink-button">${playIcon} Start training</button>
            </form>
          </section>
        </div>
        ${busy(this.busy)}
        ${this.said ? html`<p class="said" role="alert">${this.said}</p>` : nothing}
        <p class="reads">Nothing is sent anywhere: files are read and computed in this browser, on ${navigator.hardwareConcurrency > 1 && crossOriginIsolated ? 'several workers that share memory' : 'one worker'}.</p>
      </main>`;
  }
  /** A server of ours answers /api; any other address is a folder. */
  private async openAddress(url: string): Promise<void> {
    this.said = '';
    this.busy = url;
    const { origin: base, pathname } = new URL(url);
    // Asked of a server's own address alone: other places would answer with an error.
    const served =
      pathname === '/' &&
      (await fetch(`${base}/api/runs`)
        .then((answer) => answer.ok && answer.headers.get('content-type')?.includes('json'))
        .catch(() => false));
    this.busy = '';
    if (served) this.source = new HttpSource(base);
    else await this.open({ kind: 'url', url });
  }
}

const busy = (what: string) => (what ? html`<p class="busy" role="status">Opening ${what}…</p>` : nothing);
