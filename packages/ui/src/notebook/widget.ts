import type { TendencyMetric } from '@epochscope/analysis/methods';
import { decodeAny, encodeBinary, type ResultBase, type TendencyResult } from '@epochscope/analysis/results';
import type { EsLoaded } from '../figure/index.js';
import { VIEWS } from '../views/index.js';
import { tendencyOfPoints } from './compute.js';
import { bytesOf, type Message, type Model, pythonListens, sendBytes } from './model.js';
import { pictureOf } from './picture.js';
import { onTheme } from './theme.js';
import type { Points } from './worker.js';

type View = EsLoaded<unknown> & HTMLElement;

/** What is drawn of one object of Python's, in as many places as it is shown in. Sends what it computes and a picture back. */
export class Widget {
  protected result: ResultBase | null = null;
  private problem = '';
  private readonly hosts: HTMLElement[] = [];
  private scheme: 'light' | 'dark' = 'light';

  constructor(protected readonly model: Model) {
    onTheme((scheme) => {
      this.scheme = scheme;
      for (const host of this.hosts) host.style.colorScheme = scheme;
    });
  }

  /** Begins: shows a result, or computes one. What goes wrong is said in its place and to Python. */
  async start(): Promise<void> {
    try {
      const payload = bytesOf(this.model.get('_payload'));
      if (this.model.get('_kind') === 'points') await this.compute(payload!);
      else await this.show(await decodeAny(payload!, 'the result'));
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private async compute(rows: Uint8Array<ArrayBuffer>): Promise<void> {
    const options = this.model.get('_options') as Record<string, unknown>;
    const points: Points = {
      name: String(options.name),
      rows,
      labels: bytesOf(this.model.get('_labels')),
      predictions: bytesOf(this.model.get('_predictions')),
      metric: options.metric as TendencyMetric,
      missing: Boolean(options.missing),
      seed: Number(options.seed),
      smallestBlock: options.smallestBlock as number | null,
    };
    const result = await tendencyOfPoints(points, (share) => {
      for (const view of this.views()) view.title = `${Math.round(100 * share)} %`;
    });
    const shown = named(result, options.classes as string[] | null);
    await this.show(shown, false);
    await pythonListens(this.model);
    sendBytes(this.model, 'result', encodeBinary(shown));
    await this.sendPicture();
  }

  /** Draws it everywhere; `picture`: and sends one to be kept. */
  protected async show(result: ResultBase, picture = true): Promise<void> {
    this.result = result;
    for (const host of this.hosts) this.fill(host);
    if (picture) await this.sendPicture();
  }

  protected async sendPicture(): Promise<void> {
    const [view] = this.views();
    await view?.updateComplete;
    const picture = await pictureOf(this.result!, view ?? document.createElement('div'));
    if (picture) sendBytes(this.model, 'picture', picture.png, { words: picture.words });
  }

  private fail(error: Error): void {
    this.problem = error.message;
    for (const host of this.hosts) this.fill(host);
    void pythonListens(this.model).then(() => this.model.send({ type: 'problem', message: error.message }));
  }

  /** A drawing of its own for a place in the page: one that has lost its place, else a new one. */
  host(): HTMLElement {
    const left = this.hosts.find((host) => !host.isConnected);
    if (left) return left;
    const host = document.createElement('div');
    host.style.colorScheme = this.scheme;
    host.style.padding = '4px 0';
    // On the notebook's own ground and in its type, where it has them.
    host.style.setProperty('--es-surface', 'var(--jp-layout-color0, light-dark(#ffffff, #171b20))');
    host.style.setProperty('--es-font', "var(--jp-ui-font-family, system-ui, 'DejaVu Sans', sans-serif)");
    host.addEventListener('es-select', (event) => {
      this.model.set('selected', { ...(event as CustomEvent<object>).detail });
      this.model.save_changes();
    });
    this.hosts.push(host);
    this.fill(host);
    return host;
  }

  private fill(host: HTMLElement): void {
    const tag = this.result ? VIEWS[this.result.method] : 'es-tendency-view';
    let view = host.querySelector<View>(':scope > [data-view]');
    if (!view || view.localName !== tag) {
      if (!tag) {
        host.textContent = `There is no view of results of ${this.result!.method}.`;
        return;
      }
      view = document.createElement(tag) as View;
      view.dataset.view = '';
      host.replaceChildren(...this.above(), view);
    }
    view.problem = this.problem;
    view.loading = !this.result && !this.problem;
    view.result = this.result;
    view.data = this.result;
    view.removeAttribute('title');
  }

  /** What stands above the view. */
  protected above(): HTMLElement[] {
    return [];
  }

  protected views(): View[] {
    return this.hosts.flatMap((host) => [...host.querySelectorAll<View>(':scope > [data-view]')]);
  }

  /** A message of Python's. */
  told(_message: Message, _buffers: DataView[]): void {}
}

/** A result whose classes are called as Python says. */
function named(result: TendencyResult, classes: string[] | null): TendencyResult {
  return classes ? { ...result, samples: { ...result.samples, classes } } : result;
}
