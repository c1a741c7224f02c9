/** What the build (offline.js) writes above the service worker. */
declare const VERSION: string;
declare const FILES: string[];
declare const LATER: string[];
