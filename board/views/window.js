// Only the visible cards of a long column are rendered, and some above and below for scrolling and screen readers.
import {
  Virtualizer, defaultRangeExtractor, elementScroll, observeElementOffset, observeElementRect,
} from "../vendor/virtual-core/index.js";
import { useCallback, useLayoutEffect, useState } from "../ui.js";

// The assumed height of a card that isn't measured yet.
const CARD_HEIGHT = 100;
const GAP = 7;
// A column shows about this many cards.
export const VISIBLE = 5;
// About how many cards all long columns together render, and each at most around its visible ones.
const RENDERED = 48;
const MOST_AROUND = 15;

/**
 * Which of `ids` are rendered at the scroll position of `scroller`. The one at position `kept` always is: it has the
 * focus, or gets it with Tab. `columns`: how many long columns share the page.
 */
export function useWindow(scroller, ids, kept, columns) {
  const [, renderAgain] = useState(0);
  const options = {
    count: ids.length,
    getItemKey: useCallback((place) => ids[place], [ids]),
    getScrollElement: () => scroller.current,
    estimateSize: () => CARD_HEIGHT,
    gap: GAP,
    overscan: Math.max(1, Math.min(MOST_AROUND, Math.floor(RENDERED / columns) - VISIBLE)),
    rangeExtractor: useCallback((range) => withKept(defaultRangeExtractor(range), kept), [kept]),
    initialRect: { width: 0, height: innerHeight },
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => renderAgain((times) => times + 1),
  };
  const [virtualizer] = useState(() => new Virtualizer(options));
  virtualizer.setOptions(options);
  // The virtualizer's two hooks: after mounting, and after each rendering.
  useLayoutEffect(() => virtualizer._didMount(), []);
  useLayoutEffect(() => virtualizer._willUpdate());
  return virtualizer;
}

function withKept(places, kept) {
  if (kept < 0 || places.includes(kept)) return places;
  return [...places, kept].sort((a, b) => a - b);
}
