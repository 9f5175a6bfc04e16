// `node --import kill-hook.mjs …`: this process kills itself at its KILL_AT-th step on disk (a write half done), or, with KILL_COUNT,
// says in that file how many steps it took.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const at = Number(process.env.KILL_AT ?? 0);
const { writeFileSync } = fs;
let steps = 0;
const die = () => process.kill(process.pid, 'SIGKILL');
/** Wraps a function of the disk; `half` does a part of the work first. */
const wrap = (owner, name, half) => {
  const real = owner[name];
  owner[name] = function (...given) {
    if (++steps !== at) return real.apply(this, given);
    const begun = half?.call(this, real, ...given);
    if (begun instanceof Promise) return begun.then(die).then(() => new Promise(() => {}));
    die();
    // The signal takes a moment.
    for (;;);
  };
};
const half = function (real, bytes, offset = 0, length = bytes.length - offset, position = null) {
  return real.call(this, bytes, offset, length >> 1, position);
};

const open = fs.promises.open;
fs.promises.open = async (path, flags, ...more) => {
  const writes = typeof flags === 'string' ? /[wa+]/.test(flags) : flags & 3;
  if (writes && ++steps === at) die();
  const handle = await open(path, flags, ...more);
  if (!wrap.handles) {
    wrap.handles = true;
    const prototype = Object.getPrototypeOf(handle);
    wrap(prototype, 'write', half);
    for (const name of ['sync', 'truncate']) wrap(prototype, name);
  }
  return handle;
};
for (const name of ['rename', 'mkdir', 'rm', 'rmdir', 'unlink', 'writeFile', 'copyFile', 'link'])
  wrap(fs.promises, name);
wrap(fs, 'writeSync', function (real, fd, ...given) {
  return fd > 2 ? half.call(this, (...rest) => real.call(fs, fd, ...rest), ...given) : undefined;
});
syncBuiltinESMExports();
if (process.env.KILL_COUNT) process.on('exit', () => writeFileSync(process.env.KILL_COUNT, String(steps)));
