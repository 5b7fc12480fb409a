/** The input of a `talk` that has 500 events, and takes long enough to be cut off several times. */
export const WORDS_FOR_500_EVENTS = { words: 493, pause_ms: 12 };
