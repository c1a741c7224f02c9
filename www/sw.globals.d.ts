/** What the build (offline.js) writes above the service worker. */
declare const VERSION: string;
/** Kept from the first visit on. */
declare const ALWAYS: string[];
/** The CPU's modules without and with relaxed SIMD. */
declare const PLAIN: string[];
declare const RELAXED: string[];
/** Kept once somebody needed them. */
declare const WHEN_NEEDED: string[];
