// In place of node-fetch, which tfjs asks for where a Node had no fetch.
export default globalThis.fetch;
