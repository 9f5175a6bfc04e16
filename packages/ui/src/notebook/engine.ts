// What draws and computes in a notebook, loaded once a page by loader.ts.
import { setFonts } from '../figure/fonts.js';
import '../register.js';
import { setWorkerScript } from './compute.js';
import { LiveWidget } from './live.js';
import type { Message, Model } from './model.js';
import { Widget } from './widget.js';

declare const __WORKER__: string;
declare const __FONTS__: { regular: string; bold: string };
setWorkerScript(__WORKER__);
void setFonts(__FONTS__);

/** One for all versions of this script in a page: the first one's element draws for all. */
const KEY = Symbol.for('epochscope.widgets');
const widgets = ((globalThis as Record<symbol, unknown>)[KEY] ??= new Map()) as Map<string, Widget>;
const TAG = 'epochscope-figure';

/** Stands in a notebook's output around the picture that is saved, and draws the living one over it. Without Python the picture stays. */
class EpochscopeFigure extends HTMLElement {
  connectedCallback(): void {
    const widget = widgets.get(this.dataset.id ?? '');
    if (!widget) return;
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    if (!root.firstChild) root.append(widget.host());
  }
  disconnectedCallback(): void {
    // What is drawn goes on in the place that follows.
    this.shadowRoot?.replaceChildren();
  }
}
if (!customElements.get(TAG)) customElements.define(TAG, EpochscopeFigure);

/** Begins the life of a widget that Python made; `told`: what Python said before. */
export function attach(model: Model, told: readonly [Message, DataView[]][]): void {
  const id = String(model.get('_id'));
  if (widgets.has(id)) return;
  const widget = model.get('_kind') === 'live' ? new LiveWidget(model) : new Widget(model);
  widgets.set(id, widget);
  model.on('msg:custom', (message: Message, buffers: DataView[]) => widget.told(message, buffers));
  for (const place of document.querySelectorAll<EpochscopeFigure>(`${TAG}[data-id="${CSS.escape(id)}"]`))
    place.connectedCallback();
  void widget.start();
  for (const one of told) widget.told(...one);
}

/** A place to show it in, for layouts of widgets. */
export function element(id: string): HTMLElement {
  const place = document.createElement(TAG);
  place.dataset.id = id;
  return place;
}
