// Nothing is imported here: it is needed where nothing more can be opened.

/** Limits of the machine that no check of ours foresees, as one line with the way out; null for what is none. */
export function ofThisMachine(error: unknown): { code: 'memory' | 'io'; message: string } | null {
  const text = error instanceof Error ? error.message : String(error);
  if (
    /could not allocate memory|allocation failed|Invalid (typed )?array (buffer )?length|out of memory|ENOMEM/i.test(
      text,
    )
  )
    return {
      code: 'memory',
      message: `this machine gives no more memory (${text}); a limit such as "ulimit -v" may be set: raise it, or give fewer samples, layers or --threads`,
    };
  if (/EMFILE|ENFILE/.test(text))
    return { code: 'io', message: `too many open files (${text}); raise the limit with "ulimit -n 1024"` };
  return null;
}
