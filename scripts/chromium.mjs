// Finds a Chromium for the browser tests: $CHROMIUM, the usual places, or Debian's package where this is root on Debian.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
];

function onPath() {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of NAMES) if (existsSync(join(folder, name))) return join(folder, name);
  }
  return PLACES.find((place) => existsSync(place));
}

/** Path of a Chromium; ends the process with the one command to run if there is none and it cannot be installed. */
export function findChromium() {
  const given = process.env.CHROMIUM;
  if (given) {
    if (existsSync(given)) return given;
    process.stderr.write(`CHROMIUM is set to ${given}, which does not exist.\n`);
    process.exit(1);
  }
  const found = onPath();
  if (found) return found;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    process.stderr.write('Installing Chromium (apt-get install chromium)…\n');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore', env });
    spawnSync(
      'apt-get',
      ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'],
      { stdio: ['ignore', 'ignore', 'inherit'], env },
    );
    const now = onPath();
    if (now) return now;
  }
  process.stderr.write(
    'The browser tests need Chromium and none was found. Run:  sudo apt-get install chromium   (or set CHROMIUM=/path/to/chrome)\n',
  );
  process.exit(1);
}
