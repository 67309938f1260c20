// Of a long column only the cards in sight stand in the page, with some above and below for whoever scrolls or reads on.
import {
  Virtualizer, defaultRangeExtractor, elementScroll, observeElementOffset, observeElementRect,
} from "../vendor/virtual-core/index.js";
import { useCallback, useLayoutEffect, useState } from "../ui.js";

// What a card takes until it has been measured.
const CARD_HEIGHT = 100;
const GAP = 7;
const AROUND = 15;

/**
 * Which of `ids` stand in the page while `scroller` is where it is. The one at the place `kept` always does: it has
 * the focus, or gets it with Tab.
 */
export function useWindow(scroller, ids, kept) {
  const [, renderAgain] = useState(0);
  const options = {
    count: ids.length,
    getItemKey: useCallback((place) => ids[place], [ids]),
    getScrollElement: () => scroller.current,
    estimateSize: () => CARD_HEIGHT,
    gap: GAP,
    overscan: AROUND,
    rangeExtractor: useCallback((range) => withKept(defaultRangeExtractor(range), kept), [kept]),
    initialRect: { width: 0, height: innerHeight },
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => renderAgain((times) => times + 1),
  };
  const [virtualizer] = useState(() => new Virtualizer(options));
  virtualizer.setOptions(options);
  // Its two calls for whoever renders: when the list is there, and after each time.
  useLayoutEffect(() => virtualizer._didMount(), []);
  useLayoutEffect(() => virtualizer._willUpdate());
  return virtualizer;
}

function withKept(places, kept) {
  if (kept < 0 || places.includes(kept)) return places;
  return [...places, kept].sort((a, b) => a - b);
}
