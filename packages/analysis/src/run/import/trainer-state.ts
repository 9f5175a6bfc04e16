/** What Hugging Face's trainer_state.json says: figures that are finite, by step. */
export interface TrainerState {
  epoch: number | null;
  step: number | null;
  metrics: Map<number, Record<string, number>>;
}

/**
 * Reads it as Python's json does, which writes NaN and Infinity bare: those figures are left out. null for what is no JSON object.
 */
export function readTrainerState(text: string): TrainerState | null {
  let state: Record<string, unknown>;
  try {
    const json: unknown = JSON.parse(withoutBareNumbers(text));
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return null;
    state = json as Record<string, unknown>;
  } catch {
    return null;
  }
  const finite = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : null);
  const metrics: TrainerState['metrics'] = new Map();
  for (const entry of Array.isArray(state.log_history) ? (state.log_history as unknown[]) : []) {
    if (typeof entry !== 'object' || entry === null) continue;
    const step = finite((entry as Record<string, unknown>).step);
    if (step === null) continue;
    const own = metrics.get(step) ?? (Object.create(null) as Record<string, number>);
    for (const [name, value] of Object.entries(entry)) {
      const figure = finite(value);
      if (figure !== null && name !== 'step' && name !== 'epoch') own[name] = figure;
    }
    metrics.set(step, own);
  }
  return { epoch: finite(state.epoch), step: finite(state.global_step), metrics };
}

/** NaN, Infinity and -Infinity outside of strings as null. Linear in the text. */
const withoutBareNumbers = (text: string): string =>
  text.replace(/"[^"\\]*(?:\\[\s\S][^"\\]*)*"|-?\b(?:NaN|Infinity)\b/g, (token) =>
    token.startsWith('"') ? token : 'null',
  );
