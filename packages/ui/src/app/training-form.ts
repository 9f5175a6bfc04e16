import { html, type TemplateResult } from 'lit';
import { type TrainingOptions, trainingStart } from './work/types.js';

// What a training in the page is asked for: on the start screen, and beside one that goes on.

type Net = TrainingOptions['net'];
const NETS: readonly (readonly [Net, string])[] = [
  ['lenet5', 'LeNet-5, digits'],
  ['mlp', 'MLP, digits'],
  ['transformer', 'Transformer, a + b mod p'],
];

const number = (label: string, name: string, value: number, least: string, step: string, most = '') =>
  html`<label>${label} <input type="number" name=${name} min=${least} max=${most} step=${step} .value=${String(value)} required /></label>`;

/** Which net. `chosen`: another was; its own values are to be shown. */
export const netField = (now: Net, chosen: (net: Net) => void): TemplateResult =>
  html`<label>Net <select name="net" @change=${(e: Event) => chosen((e.target as HTMLSelectElement).value as Net)}>${NETS.map(
    ([net, title]) => html`<option value=${net} ?selected=${net === now}>${title}</option>`,
  )}</select></label>`;

export const trainingFields = (now: TrainingOptions): TemplateResult =>
  html`${now.net === 'transformer' ? number('p', 'modulus', now.modulus, '2', '1', '251') : ''}
    ${number('Epochs', 'epochs', now.epochs, '1', '1')}
    ${now.net === 'transformer' ? '' : number('Batch', 'batchSize', now.batchSize, '1', '1')}
    ${number('Rate', 'learningRate', now.learningRate, '0', 'any')}
    ${now.net === 'transformer' ? number('Decay', 'weightDecay', now.weightDecay, '0', 'any') : number('Noise', 'noise', now.noise, '0', 'any')}
    ${number('Seed', 'seed', now.seed, '0', '1')}
    ${number('Drawn', 'samples', now.samples, '20', '1')}`;

/** What a form says, over what holds for its net. */
export function trainingOptions(form: HTMLFormElement): TrainingOptions {
  const data = new FormData(form);
  const start = trainingStart(data.get('net') as Net);
  const value = (name: keyof TrainingOptions) =>
    data.has(name) ? Number(data.get(name)) : (start[name] as number);
  return {
    net: start.net,
    epochs: value('epochs'),
    batchSize: value('batchSize'),
    learningRate: value('learningRate'),
    noise: value('noise'),
    weightDecay: value('weightDecay'),
    modulus: value('modulus'),
    seed: value('seed'),
    samples: value('samples'),
  };
}
