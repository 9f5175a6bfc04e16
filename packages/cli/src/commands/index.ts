import type { CommandModule } from './_types.js';

export type { CommandModule } from './_types.js';

interface CommandEntry {
  /** One line of the list that --help shows, which loads no command. */
  about: string;
  /** Arguments, as --help shows them. */
  takes: string;
  load(): Promise<CommandModule>;
}

/** Every command, in the order of --help; loaded when used. */
export const COMMANDS: Record<string, CommandEntry> = {
  demo: {
    about: 'Train LeNet-5 on bundled MNIST digits, run every method on it and write a page: a minute or two',
    takes: '',
    load: () => import('./demo.js'),
  },
  train: {
    about: 'Train a net and keep snapshots of it as a run',
    takes: '[model]',
    load: () => import('./train.js'),
  },
  tendency: {
    about: 'Cluster tendency (VAT / iVAT) of layer outputs, or of any matrix',
    takes: '<run-or-file>',
    load: () => import('./tendency.js'),
  },
  modules: {
    about: 'Clusters of hidden units by what they correlate with, and how they change over epochs',
    takes: '<run>',
    load: () => import('./modules.js'),
  },
  prune: {
    about: 'Remove small weights, then connected regions of weights, and retrain; writes a run',
    takes: '<run>',
    load: () => import('./prune.js'),
  },
  geometry: {
    about: 'Singular values and vectors of Jacobians: how a net bends the space of its inputs',
    takes: '<run>',
    load: () => import('./geometry.js'),
  },
  features: {
    about: 'When each layer learns features: its weights against what the output depends on (AGOP)',
    takes: '<run>',
    load: () => import('./features.js'),
  },
  reproduce: {
    about:
      "Run a paper's experiment again, with several seeds, and say which of its claims hold, with figures and a page",
    takes: '[paper]',
    load: () => import('./reproduce.js'),
  },
  report: {
    about: 'Write everything a run holds as one HTML page that opens from disk',
    takes: '<run> [others...]',
    load: () => import('./report.js'),
  },
  export: {
    about: 'Write a result as one file, for the src of an element, for Python, to send',
    takes: '<run-or-result> [result]',
    load: () => import('./export.js'),
  },
  change: {
    about: 'How parameters changed between two snapshots, and their paths over all',
    takes: '<run>',
    load: () => import('./change.js'),
  },
  difference: {
    about: 'What changed between two pictures of the same samples: snapshots, layers, runs or matrices',
    takes: '<run-or-file> [other]',
    load: () => import('./difference.js'),
  },
  path: {
    about: 'Why two samples lie together: the chain between them with the shortest longest link',
    takes: '<run-or-file>',
    load: () => import('./path.js'),
  },
  locate: {
    about: 'Where a sample that a run does not hold stands among its own, at every snapshot',
    takes: '<run> <file>',
    load: () => import('./locate.js'),
  },
  activity: {
    about: 'What the filters of a layer respond to, class by class, and how selective they are',
    takes: '<run>',
    load: () => import('./activity.js'),
  },
  watch: {
    about: 'Judge rules on the snapshots of a run, finished or being written, and say which hold',
    takes: '<run>',
    load: () => import('./watch.js'),
  },
  serve: {
    about: 'Serve a run, or a folder of runs, to the browser; live while training goes on',
    takes: '<run-or-folder>',
    load: () => import('./serve.js'),
  },
  import: {
    about:
      'Make a run of checkpoints that PyTorch, Lightning, Hugging Face, Keras, JAX or TensorFlow.js wrote',
    takes: '<folder>',
    load: () => import('./import.js'),
  },
  info: {
    about: 'Say what a run holds, or what a folder of checkpoints would give',
    takes: '<run>',
    load: () => import('./info.js'),
  },
  batch: {
    about: 'A method as tasks of a cluster, for data or runs that outgrow one machine',
    takes: '<action> <dir> [command...]',
    load: () => import('./batch.js'),
  },
  index: {
    about: 'Write the index of a run, by which it opens on any web server that serves files',
    takes: '<run>',
    load: () => import('./index-run.js'),
  },
};
