import { EpochscopeError } from '@epochscope/core-wasm';
import { platform } from '#platform';
import { networkError, readBody } from '../../formats/http-source.js';

// Requests to a hub: a token where the environment has one, tries again where the answer is "not now", errors in the hub's own words.

export interface HubOptions {
  fetch?: typeof globalThis.fetch;
  signal?: AbortSignal;
  /** Told when a request is tried again, and why. */
  onWait?: (message: string) => void;
  /** For tests. */
  sleep?: (milliseconds: number) => Promise<void>;
}

/** A request is made so often; then what the server says last is the error. */
const TRIES = 6;
const LONGEST_WAIT = 300_000;

const DEFAULT_ENDPOINT = 'https://huggingface.co';
/** Where the environment's token belongs, and nowhere else. */
const endpoint = () => platform.env('HF_ENDPOINT') || DEFAULT_ENDPOINT;
const tokenFor = (url: URL): string | undefined => {
  const token = platform.env('HF_TOKEN') || platform.env('HUGGING_FACE_HUB_TOKEN');
  return token && url.origin === new URL(endpoint()).origin ? token : undefined;
};

/**
 * An answer of status 2xx or 3xx. Tries again after network errors, 5xx and 429, after the time the server names. Throws `missing`, `io`,
 * `cancelled`, with what to do.
 */
export async function request(
  address: string,
  options: HubOptions,
  headers: Record<string, string> = {},
): Promise<Response> {
  const { fetch = globalThis.fetch, signal, onWait, sleep = wait } = options;
  const url = new URL(address);
  const token = tokenFor(url);
  const sent = {
    ...headers,
    'accept-encoding': 'identity',
    ...(token ? { authorization: `Bearer ${token}` } : {}),
  };
  for (let tried = 1; ; tried++) {
    let answer: Response | null = null;
    let failure: EpochscopeError;
    try {
      // Not followed: the token stays with the host it belongs to, and a signed address is used again.
      answer = await fetch(address, { headers: sent, redirect: 'manual', signal: signal ?? null });
      if (answer.status < 400) return answer;
      failure = await refusal(url, answer, token !== undefined);
    } catch (cause) {
      failure = networkError(address, cause, signal);
      if (failure.code === 'cancelled') throw failure;
    }
    const again = answer === null || answer.status === 429 || answer.status >= 500;
    if (!again || tried === TRIES) throw failure;
    const pause = Math.min(LONGEST_WAIT, (answer && waitOf(answer)) ?? 500 * 2 ** (tried - 1));
    onWait?.(`${failure.message}; trying again in ${Math.ceil(pause / 1000)} s`);
    await sleep(pause);
    if (signal?.aborted) throw new EpochscopeError('cancelled', `reading ${address} was cancelled`);
  }
}

/** An answer's body as text; more than `limit` bytes are refused as soon as they come. Throws `format`, `io`, `cancelled`. */
export async function textOf(answer: Response, address: string, limit: number): Promise<string> {
  const bytes = await readBody(
    address,
    answer,
    limit,
    {},
    () => new EpochscopeError('format', `${address}: expected at most ${limit} bytes`, { file: address }),
  );
  return new TextDecoder().decode(bytes);
}

const wait = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));

/** Milliseconds that the server asks to wait: Retry-After, or RateLimit's t. */
function waitOf(answer: Response): number | null {
  const after = Number(answer.headers.get('retry-after') ?? Number.NaN);
  if (after >= 0) return 1000 * after;
  const reset = /(?:^|;)\s*t=(\d{1,9})/.exec(answer.headers.get('ratelimit') ?? '')?.[1];
  return reset === undefined ? null : 1000 * Number(reset);
}

/** What a hub's refusal means, in one line with the way out. */
async function refusal(url: URL, answer: Response, withToken: boolean): Promise<EpochscopeError> {
  const code = answer.headers.get('x-error-code') ?? '';
  const said = (answer.headers.get('x-error-message') ?? '').slice(0, 200);
  await answer.body?.cancel();
  const where = `${url.origin}${url.pathname}`;
  const login = withToken
    ? 'the token in HF_TOKEN may not read it'
    : url.origin === new URL(endpoint()).origin
      ? 'set HF_TOKEN to a token that may read it'
      : `set HF_ENDPOINT=${url.origin} and HF_TOKEN to a token that may read it`;
  const fields = { file: where, got: answer.status };
  if (code === 'GatedRepo')
    return new EpochscopeError(
      'io',
      `${where}: access is gated: accept its terms on its page, and ${login}`,
      fields,
    );
  // Hubs answer so for what is private and for what is not there.
  if (answer.status === 401 || answer.status === 403)
    return new EpochscopeError(
      /NotFound$/.test(code) ? 'missing' : 'io',
      `${where}: the server refuses (status ${answer.status}${code ? `, ${code}` : ''}): it does not exist, or is private: ${login}`,
      fields,
    );
  if (answer.status === 404 || /NotFound$/.test(code))
    return new EpochscopeError('missing', `${where} does not exist${code ? ` (${code})` : ''}`, fields);
  if (answer.status === 429)
    return new EpochscopeError('io', `${where}: too many requests (status 429)`, fields);
  return new EpochscopeError('io', `${where}: status ${answer.status}${said ? `: ${said}` : ''}`, fields);
}
