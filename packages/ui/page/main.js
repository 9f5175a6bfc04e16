// The page's script, from what tsc made.
import '../dist/app/main.js';
