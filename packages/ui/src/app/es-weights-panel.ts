import type { RunManifest, Tensor } from '@epochscope/analysis';
import type { ChangeResult } from '@epochscope/analysis/results';
import { css, html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { state } from '../figure/index.js';
import type { Selection } from '../selection.js';
import { snapshotTitle, tokens } from '../styles.js';
import { EsResultPanel } from './es-result-panel.js';
import type { RunSource } from './source.js';

/**
 * How the weights changed between two snapshots, worked out in the page from the weights themselves: follows the slider, also while
 * training goes on, and needs no result on disk. While one pair is read, only the newest wish waits.
 */
export class EsWeightsPanel extends LitElement {
  static override styles = [
    tokens,
    css`
      :host {
        display: block;
        border-block-start: 1px solid var(--_line);
        padding-block: 1rem 1.5rem;
      }
      h2 {
        margin: 0 0 0.5rem;
        font-size: 1.15rem;
      }
      h2 small {
        color: var(--_quiet);
        font-weight: normal;
      }
      .state {
        display: grid;
        place-items: center;
        min-block-size: 6rem;
        border: 1px dashed var(--_line);
        border-radius: 6px;
        color: var(--_quiet);
        padding: 1rem;
        text-align: center;
      }
      .state[role='alert'] {
        color: light-dark(#a02020, #ff9a8a);
      }
    `,
  ];
  @property({ attribute: false }) source: RunSource | null = null;
  /** Key of the run. */
  @property({ type: String }) run: string = '';
  @property({ attribute: false }) manifest: RunManifest | null = null;
  /** Ids of the snapshots. */
  @property({ type: String }) from: string = '';
  @property({ type: String }) to: string = '';
  @property({ attribute: false }) selection: Selection = {};
  @property({ state: true }) private data: ChangeResult | null = null;
  @property({ state: true }) private problem: string = '';
  /** Nothing is read before somebody wants to see it. */
  @property({ state: true }) private open: boolean = false;
  private busy = false;

  protected override willUpdate(changed: PropertyValues): void {
    if (!this.open || !['open', 'run', 'from', 'to', 'source'].some((name) => changed.has(name))) return;
    void EsResultPanel.load?.();
    void this.follow();
  }

  private wish(): string {
    return `${this.run}\n${this.from}\n${this.to}`;
  }
  private async follow(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    let done = '';
    try {
      while (done !== this.wish()) {
        done = this.wish();
        try {
          const data = await this.compare();
          if (done === this.wish() || data) [this.data, this.problem] = [data, ''];
        } catch (error) {
          if (done === this.wish()) [this.data, this.problem] = [null, (error as Error).message];
        }
      }
    } finally {
      this.busy = false;
    }
  }
  private async compare(): Promise<ChangeResult | null> {
    const { source, run, manifest, from, to } = this;
    if (!source?.weights || !manifest || !from || !to || from === to) return null;
    const find = (id: string) => manifest.snapshots.find((snapshot) => snapshot.id === id)!;
    const read = async (
      id: string,
    ): Promise<{ snapshot: ReturnType<typeof find>; weights: Map<string, Tensor> }> => ({
      snapshot: find(id),
      weights: await source.weights!(run, id),
    });
    const [a, b, { analyseChange }] = await Promise.all([
      read(from),
      read(to),
      import('@epochscope/analysis/methods'),
    ]);
    return {
      format: 'epochscope-result/2',
      method: 'change',
      name: 'page',
      tool: manifest.tool,
      input: { source: run, files: {} },
      parameters: { from, to },
      seeds: {},
      seconds: 0,
      ...analyseChange({ from: a, to: b, layers: manifest.layers, inputShape: manifest.inputShape }),
    };
  }

  override render(): TemplateResult {
    const title = (id: string) => {
      const found = this.manifest?.snapshots.find((snapshot) => snapshot.id === id);
      return found ? snapshotTitle(found) : id;
    };
    return html`<h2>Weights <small>${title(this.from)} → ${title(this.to)}</small></h2>
      <details .open=${this.open} @toggle=${(e: Event) => (this.open = (e.target as HTMLDetailsElement).open)}>
        <summary>Change between the snapshot compared with (or the first) and the one on the slider</summary>
        ${this.open ? this.body() : ''}
      </details>`;
  }
  private body(): TemplateResult {
    if (this.from === this.to) return state('Choose another snapshot to compare with: both are the same.');
    if (this.problem) return state(this.problem, 'alert');
    if (!this.data) return state('Loading…', 'busy');
    return html`<es-change-view .data=${this.data} .selection=${this.selection}></es-change-view>`;
  }
}
