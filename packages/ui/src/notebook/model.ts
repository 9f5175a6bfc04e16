/** What a widget and its Python side share, as anywidget gives it. */
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: object, callbacks?: undefined, buffers?: ArrayBuffer[]): void;
  on(name: 'msg:custom', told: (message: Message, buffers: DataView[]) => void): void;
  off(name: 'msg:custom', told: (message: Message, buffers: DataView[]) => void): void;
}

/** Of Python, beside its bytes. */
export interface Message {
  type: string;
  [field: string]: unknown;
}

/** Bytes of a trait or a message, in memory of their own; null for none. */
export function bytesOf(view: unknown): Uint8Array<ArrayBuffer> | null {
  if (!(view instanceof DataView) || !view.byteLength) return null;
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength).slice();
}

/** Questions, and milliseconds between them. */
const PINGS = 8;
const PING_MS = 400;

/**
 * Resolves when Python listens. A kernel that runs a cell hears nothing on the way that messages take at first; JupyterLab opens another
 * one (a subshell) a moment later, so that is asked more than once.
 */
export function pythonListens(model: Model): Promise<void> {
  return new Promise((resolve) => {
    let asked = 0;
    const ask = () => {
      model.send({ type: 'ping' });
      if (++asked === PINGS) clearInterval(timer);
    };
    const told = ({ type }: Message) => {
      if (type !== 'pong') return;
      clearInterval(timer);
      model.off('msg:custom', told);
      resolve();
    };
    model.on('msg:custom', told);
    const timer = setInterval(ask, PING_MS);
    ask();
  });
}

/** Notebook servers close a connection that gets more at once. */
const MOST_BYTES = 4e6;

/** Sends bytes to Python in messages of a size that servers take: `{ type, part, parts, …more }`. */
export function sendBytes(
  model: Model,
  type: string,
  bytes: Uint8Array<ArrayBuffer>,
  more: object = {},
): void {
  const parts = Math.max(1, Math.ceil(bytes.length / MOST_BYTES));
  for (let part = 0; part < parts; part++) {
    const { buffer } = bytes.slice(part * MOST_BYTES, (part + 1) * MOST_BYTES);
    model.send({ type, part, parts, ...more }, undefined, [buffer]);
  }
}
