import { bytesOf, type Message, type Model } from './model.js';

// The little script that every widget of a notebook brings (anywidget's `_esm`). What draws and computes is loaded once a page: from the
// widget's own state where Python put it there, else asked for.

interface Engine {
  attach(model: Model, told: readonly Told[]): void;
  element(id: string): HTMLElement;
}

type Told = [message: Message, buffers: DataView[]];

const KEY = Symbol.for('epochscope.notebook');
const engines = ((globalThis as Record<symbol, unknown>)[KEY] ??= new Map()) as Map<string, Promise<Engine>>;

function engineOf(model: Model): Promise<Engine> {
  const version = String(model.get('_version'));
  let engine = engines.get(version);
  if (!engine) {
    engine = load(model);
    engine.catch(() => engines.delete(version));
    engines.set(version, engine);
  }
  return engine;
}

async function load(model: Model): Promise<Engine> {
  const packed = bytesOf(model.get('_engine')) ?? (await asked(model));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const script = new Blob([await new Response(stream).arrayBuffer()], { type: 'text/javascript' });
  return import(/* @vite-ignore */ URL.createObjectURL(script));
}

const asked = (model: Model) =>
  new Promise<Uint8Array<ArrayBuffer>>((resolve) => {
    const told = ({ type }: Message, [bytes]: DataView[]) => {
      if (type !== 'engine') return;
      model.off('msg:custom', told);
      resolve(bytesOf(bytes)!);
    };
    model.on('msg:custom', told);
    model.send({ type: 'engine' });
  });

export default {
  // Nothing is awaited: anywidget lets no message through before this is done, and the engine comes by one.
  initialize({ model }: { model: Model }): void {
    const early: Told[] = [];
    const keep = (...told: Told) => void early.push(told);
    model.on('msg:custom', keep);
    void engineOf(model).then((engine) => {
      model.off('msg:custom', keep);
      engine.attach(model, early);
    });
  },
  async render({ model, el }: { model: Model; el: HTMLElement }): Promise<void> {
    el.append((await engineOf(model)).element(String(model.get('_id'))));
  },
};
