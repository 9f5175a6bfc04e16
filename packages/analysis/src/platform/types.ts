import type { Worker } from '../engine/member.js';
