import { html, type TemplateResult } from 'lit';
import type { TrainingOptions } from './work/types.js';

// What a training in the page is asked for: on the start screen, and beside one that goes on.

const number = (label: string, name: string, value: number, least: string, step: string) =>
  html`<label>${label} <input type="number" name=${name} min=${least} step=${step} .value=${String(value)} required /></label>`;

export const trainingFields = (now: TrainingOptions): TemplateResult =>
  html`<label>Net <select name="net"><option value="lenet5" ?selected=${now.net === 'lenet5'}>LeNet-5</option><option value="mlp" ?selected=${now.net === 'mlp'}>MLP</option></select></label>
    ${number('Epochs', 'epochs', now.epochs, '1', '1')}
    ${number('Batch', 'batchSize', now.batchSize, '1', '1')}
    ${number('Rate', 'learningRate', now.learningRate, '0', 'any')}
    ${number('Noise', 'noise', now.noise, '0', 'any')}
    ${number('Seed', 'seed', now.seed, '0', '1')}
    ${number('Drawn', 'samples', now.samples, '20', '1')}`;

export function trainingOptions(form: HTMLFormElement): TrainingOptions {
  const data = new FormData(form);
  const value = (name: string) => Number(data.get(name));
  return {
    net: data.get('net') === 'mlp' ? 'mlp' : 'lenet5',
    epochs: value('epochs'),
    batchSize: value('batchSize'),
    learningRate: value('learningRate'),
    noise: value('noise'),
    seed: value('seed'),
    samples: value('samples'),
  };
}
