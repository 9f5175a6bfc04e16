// What building core-wasm writes into src/generated, so that `npm run typecheck` needs no build. Real files go first.
declare module './generated/*' {
  const base64: string;
  export default base64;
}
