/** How one option of a method is asked for and written on the command line. */
export interface OptionField {
  name: string;
  label: string;
  /** list: names or numbers with commas between them; ends: two of them, samples or "block:N"; empty means the default. */
  kind: 'number' | 'list' | 'choice' | 'text' | 'ends';
  choices?: readonly string[];
  /** As the workflow has it; null: decided by the run. */
  default: string | number | null | readonly (string | number)[];
  flag: string;
  /** What an empty field means. */
  empty?: string;
  least?: number;
  most?: number;
  step?: number | 'any';
}

export interface MethodInfo {
  /** Of the tab's address, and of the results it shows, by method. */
  id: string;
  methods: readonly string[];
  tab: string;
  title: string;
  /** How to read it: two sentences. */
  reading: string;
  paper: string;
  /** What is computed, by the workflow of that name. */
  workflow: string;
  fields: readonly OptionField[];
}

const LAYERS = (empty: string, flag = '--layers'): OptionField => ({
  name: 'layers',
  label: 'Layers',
  kind: 'list',
  default: null,
  flag,
  empty,
});
const SNAPSHOTS = (value: 'all' | 'last'): OptionField => ({
  name: 'snapshots',
  label: 'Snapshots',
  kind: 'list',
  default: [value],
  flag: '--snapshots',
  empty: value,
});
const number = (
  name: string,
  label: string,
  flag: string,
  value: number | null,
  more: Partial<OptionField> = {},
): OptionField => ({
  name,
  label,
  kind: 'number',
  default: value,
  flag,
  ...more,
});
const choice = (
  name: string,
  label: string,
  flag: string,
  choices: readonly string[],
  value: string,
): OptionField => ({ name, label, kind: 'choice', choices, default: value, flag });
const METRICS = ['euclidean', 'cosine', 'manhattan', 'correlation'];
const SEED = number('seed', 'Seed', '--seed', 1, { least: 0, step: 1 });
const NAME: OptionField = { name: 'name', label: 'Name', kind: 'text', default: 'default', flag: '--name' };

/** One a tab, in the order of the tabs. Defaults are the workflows' own, which a test holds. */
export const METHODS: readonly MethodInfo[] = [
  {
    id: 'clusters',
    methods: ['tendency'],
    tab: 'Clusters',
    title: 'Clusters, layer by epoch',
    reading:
      'Rows are the net’s layers, columns its epochs. Dark squares on a diagonal are groups the layer keeps together: look for the row where they first appear, and the epoch.',
    paper: 'After Satoh, Visual analysis with cluster tendency (IPSJ): VAT and iVAT of layer outputs.',
    workflow: 'tendency',
    fields: [
      LAYERS('the last layer'),
      SNAPSHOTS('all'),
      choice('metric', 'Metric', '--metric', METRICS, 'euclidean'),
      number('samples', 'Samples', '--samples', null, { least: 2, step: 1, empty: 'all' }),
      number('vatSide', 'VAT picture, pixels', '--vat-side', 256, { least: 0, most: 4096, step: 1 }),
      SEED,
      NAME,
    ],
  },
  {
    id: 'modules',
    methods: ['modules'],
    tab: 'Modules',
    title: 'Modules of hidden units',
    reading:
      'A module is a group of units that respond alike; its picture shows the pixels it follows. Ribbons are units kept together from one epoch to the next: a ribbon that splits is a module coming apart.',
    paper: 'After Watanabe, Visualization of cluster structure transition in deep learning, JSAI 2019.',
    workflow: 'modules',
    fields: [
      LAYERS('those after an activation'),
      SNAPSHOTS('all'),
      number('theta', 'Largest dissimilarity θ', '--theta', 0.83, { least: 0, most: 2, step: 'any' }),
      choice('cut', 'Cut', '--cut', ['level', 'branch'], 'level'),
      choice('units', 'Units', '--units', ['neuron', 'channel', 'head'], 'neuron'),
      number('samples', 'Samples', '--samples', 2500, { least: 2, step: 1 }),
      choice('samplesOf', 'Samples of', '--samples-of', ['training', 'run'], 'training'),
      number('maxUnits', 'Draw so many units', '--max-units', null, { least: 2, step: 1, empty: 'all' }),
      SEED,
      NAME,
    ],
  },
  {
    id: 'change',
    methods: ['change', 'tracks'],
    tab: 'Change',
    title: 'How the weights moved',
    reading:
      'Each square is one weight: teal grew, brown shrank, pale stayed. A cloud that leans along the diagonal means that weights kept their sign and grew.',
    paper: 'After Inagaki & Aoyama, A visualization method of learning process for deep learning.',
    workflow: 'change',
    fields: [
      { name: 'from', label: 'From', kind: 'text', default: 'first', flag: '--from' },
      { name: 'to', label: 'To', kind: 'text', default: 'last', flag: '--to' },
      LAYERS('all with parameters'),
      NAME,
    ],
  },
  {
    id: 'activity',
    methods: ['activity'],
    tab: 'Activity',
    title: 'What filters respond to',
    reading:
      'Bars are a filter’s mean answer to each class, of the samples the net reads right. Equal bars mean a filter that sees strokes; one tall bar means a filter for a class.',
    paper: 'After Inagaki & Aoyama; selectivity after Morcos et al., 2018.',
    workflow: 'activity',
    fields: [
      LAYERS('feature maps after their activation', '--layer'),
      SNAPSHOTS('last'),
      number('samples', 'Samples', '--samples', null, { least: 1, step: 1, empty: 'all' }),
      NAME,
    ],
  },
  {
    id: 'geometry',
    methods: ['geometry'],
    tab: 'Geometry',
    title: 'Geometry',
    reading:
      'A net stretches and flattens the space of its inputs. Singular values above 1 are directions it stretches, so counting them gives the dimension it keeps; their vectors, drawn as pictures, show which strokes matter.',
    paper: 'After Mototake & Ikegami, The analysis of deep neural networks.',
    workflow: 'geometry',
    fields: [
      LAYERS('the end of each stage'),
      SNAPSHOTS('last'),
      number('inputs', 'Inputs, in turn from each class', '--inputs', 16, { least: 1, step: 1 }),
      number('k', 'Singular values', '--k', 100, { least: 1, step: 1 }),
      number('pictures', 'Vectors kept as pictures', '--pictures', 8, { least: 0, step: 1 }),
      number('pictureInputs', '… of how many inputs', '--picture-inputs', 4, { least: 0, step: 1 }),
      SEED,
      NAME,
    ],
  },
  {
    id: 'features',
    methods: ['features'],
    tab: 'Features',
    title: 'When each layer learns features',
    reading:
      'Each line is a layer: near 1 its weights have taken up just those directions of its input on which the answer depends, so look for the epoch where it rises. The pictures are these directions, the strongest first: they stay once the layer has learnt them.',
    paper:
      'After Radhakrishnan, Beaglehole, Pandit & Belkin, Science 383 (2024): average gradient outer products.',
    workflow: 'features',
    fields: [
      LAYERS('all with weights'),
      SNAPSHOTS('all'),
      number('samples', 'Samples', '--samples', null, { least: 1, step: 1, empty: 'all' }),
      number('k', 'Eigenvectors', '--k', 8, { least: 1, step: 1 }),
      {
        name: 'output',
        label: 'Derivatives of',
        kind: 'text',
        default: null,
        flag: '--of',
        empty: 'the scores',
      },
      number('probes', 'Random mixtures a sample', '--probes', null, {
        least: 1,
        step: 1,
        empty: 'up to 64 values each, else 16',
      }),
      SEED,
      NAME,
    ],
  },
  {
    id: 'pruning',
    methods: ['prune'],
    tab: 'Pruning',
    title: 'What can be left out',
    reading:
      'First the smallest weights go, then whole regions of those that are left, and the net is trained again. What stays at equal accuracy is what the net needs: its regions show the strokes it reads.',
    paper: 'After Takehana & Ozaki, Study of parameter reduction (Osaka Institute of Technology).',
    workflow: 'prune',
    fields: [
      {
        name: 'layer',
        label: 'Layer',
        kind: 'text',
        default: null,
        flag: '--layer',
        empty: 'the first dense',
      },
      { name: 'snapshot', label: 'Snapshot', kind: 'text', default: 'last', flag: '--snapshot' },
      number('magnitude', 'Share of small weights', '--magnitude', 0.5, { least: 0, most: 1, step: 'any' }),
      number('regions', 'Share of regions a round', '--regions', 0.4, { least: 0, most: 1, step: 'any' }),
      number('rounds', 'Rounds', '--rounds', 3, { least: 0, step: 1 }),
      choice('ranking', 'Ranking', '--ranking', ['network', 'unit', 'loss'], 'network'),
      NAME,
    ],
  },
  {
    id: 'difference',
    methods: ['difference', 'difference-map'],
    tab: 'Difference',
    title: 'What changed between two pictures',
    reading:
      'Each bar is a pair of groups of samples: the other picture joins them at its left end, the picture named above it only at its right. Long bars are what changed, and the samples below say which groups they are. In a map of many pictures dark squares are spans of snapshots or layers that show the same groups, a light cross a picture of its own.',
    paper: 'After Trofimov et al., RTD-Lite (2025), a topological distance; linear CKA beside it.',
    workflow: 'difference',
    fields: [
      { name: 'from', label: 'From', kind: 'text', default: 'first', flag: '--from' },
      { name: 'to', label: 'To', kind: 'text', default: 'last', flag: '--to' },
      { name: 'layer', label: 'Layer', kind: 'text', default: null, flag: '--layer', empty: 'the last' },
      {
        name: 'toLayer',
        label: '… of the second',
        kind: 'text',
        default: null,
        flag: '--to-layer',
        empty: 'the same',
      },
      choice('metric', 'Metric', '--metric', METRICS, 'euclidean'),
      number('samples', 'Samples', '--samples', null, { least: 2, step: 1, empty: 'all' }),
      SEED,
      NAME,
    ],
  },
  {
    id: 'path',
    methods: ['path'],
    tab: 'Path',
    title: 'How two samples hang together',
    reading:
      'The chain from one end to the other whose widest gap is smallest: where the pictures change kind is where two groups touch. Bridges are samples without which the chain would have to take a wider gap.',
    paper: 'Minimax paths, on which iVAT rests (Havens & Bezdek, 2012).',
    workflow: 'path',
    fields: [
      {
        name: 'between',
        label: 'Between',
        kind: 'ends',
        default: 'block:0,block:1',
        flag: '--between',
      },
      { name: 'snapshot', label: 'Snapshot', kind: 'text', default: 'last', flag: '--snapshot' },
      { name: 'layer', label: 'Layer', kind: 'text', default: null, flag: '--layer', empty: 'the last' },
      number('bridges', 'Bridges', '--bridges', 0, { least: 0, most: 1000, step: 1 }),
      choice('metric', 'Metric', '--metric', METRICS, 'euclidean'),
      number('samples', 'Samples', '--samples', null, { least: 2, step: 1, empty: 'all' }),
      NAME,
    ],
  },
];

export const methodOf = (id: string): MethodInfo | null => METHODS.find((one) => one.id === id) ?? null;
/** The tab that shows results of a method. */
export const tabOfMethod = (method: string): string =>
  METHODS.find(({ methods }) => methods.includes(method))?.id ?? method;

/** What was typed → options that differ from the defaults. Throws an Error that names the field. */
export function optionsOf(
  info: MethodInfo,
  typed: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const field of info.fields) {
    const text = typed[field.name]?.trim() ?? '';
    if (text === '') continue;
    if (field.kind === 'ends') {
      const [from, to] = endsOf(field, text);
      Object.assign(out, { from, to });
      continue;
    }
    const value = parsed(field, text);
    if (JSON.stringify(value) !== JSON.stringify(field.default)) out[field.name] = value;
  }
  return out;
}

type End = number | { block: number };
/** "12,80", "block:0,block:1". */
function endsOf({ label }: OptionField, text: string): [End, End] {
  const found = text.split(',').map((part): End | null => {
    const [, block, sample] = /^(?:block:(\d+)|(\d+))$/.exec(part.trim()) ?? [];
    return block !== undefined ? { block: Number(block) } : sample !== undefined ? Number(sample) : null;
  });
  const [from = null, to = null] = found;
  if (found.length !== 2 || from === null || to === null)
    throw new Error(
      `${label}: expected two samples or blocks, as “12,80” or “block:0,block:1”, got “${text}”`,
    );
  return [from, to];
}
const endWord = (end: unknown) =>
  typeof end === 'object' ? `block:${(end as { block: number }).block}` : String(end);

function parsed(field: OptionField, text: string): unknown {
  if (field.kind === 'list') {
    const items = text.split(/[\s,]+/).filter(Boolean);
    return field.name === 'snapshots' ? items.map((one) => (/^\d+$/.test(one) ? Number(one) : one)) : items;
  }
  if (field.kind !== 'number') {
    if (field.choices && !field.choices.includes(text))
      throw new Error(`${field.label}: expected ${field.choices.join(', ')}, got ${text}`);
    return text;
  }
  const value = Number(text);
  const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = field;
  if (
    !Number.isFinite(value) ||
    value < least ||
    value > most ||
    (field.step === 1 && !Number.isInteger(value))
  )
    throw new Error(
      `${field.label}: expected ${field.step === 1 ? 'a whole number' : 'a number'}${field.least === undefined ? '' : ` from ${field.least}`}${field.most === undefined ? '' : ` to ${field.most}`}, got “${text}”`,
    );
  return value;
}

const word = (text: string) => (/^[\w./:=@,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** The command that does the same. */
export function commandOf(info: MethodInfo, run: string, options: Readonly<Record<string, unknown>>): string {
  const words = ['epochscope', info.workflow, word(run)];
  for (const { name, flag, kind, default: standing } of info.fields) {
    if (kind === 'ends') {
      const { from, to } = options;
      words.push(flag, from === undefined ? String(standing) : [from, to].map(endWord).join(','));
      continue;
    }
    const value = options[name];
    if (value !== undefined) words.push(flag, word(Array.isArray(value) ? value.join(',') : String(value)));
  }
  return words.join(' ');
}
