// The page works offline after the first visit, and where the host sends no headers for it, gets those that let workers share memory.
// Written as it is served: no build step but the version and the list of files, which the build puts in the first two lines.
const VERSION = '';
const FILES = [];

const CACHE = `epochscope-${VERSION}`;
const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES))
      .then(() => self.skipWaiting()),
  );
});
self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) =>
        Promise.all(
          names
            .filter((name) => name.startsWith('epochscope-') && name !== CACHE)
            .map((name) => caches.delete(name)),
        ),
      )
      .then(() => self.clients.claim()),
  );
});

/** The same answer with the headers of an isolated page. */
function isolated(answer) {
  if (answer.type === 'opaque' || answer.type === 'opaqueredirect' || answer.status === 0) return answer;
  const headers = new Headers(answer.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  return new Response(answer.body, { status: answer.status, statusText: answer.statusText, headers });
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  // Runs, their ranges and events go straight to where they lie.
  if (
    request.method !== 'GET' ||
    url.origin !== location.origin ||
    request.headers.has('range') ||
    url.pathname.startsWith('/api')
  )
    return;
  const path = url.pathname.slice(new URL(self.registration.scope).pathname.length);
  if (path !== '' && !FILES.includes(path)) return;
  event.respondWith(
    caches
      .open(CACHE)
      .then((cache) => cache.match(path === '' ? './' : path, { ignoreSearch: true }))
      .then((kept) => kept ?? fetch(request))
      .then(isolated),
  );
});
