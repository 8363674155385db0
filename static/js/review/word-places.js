// Which word of a text stands at which place of the word network: an alignment by edit distance.

const OTHER_WORD = 1; // a word that no volunteer wrote at the place
const SKIP = 0.6; // a word without a place, or a place without a word
const NO_WORD = 0.3; // at a place where a volunteer wrote none

/**
 * For each place the index of its word in `text`, or -1. `places` are lists of candidates, "" for no word.
 *
 * wordPlaces(["a", "b"], [["a"], ["x", ""], ["b"]]) is [0, -1, 1].
 */
export function wordPlaces(text, places) {
  const costs = [Array.from(text.concat(null), (_, at) => at * SKIP)];
  for (const [row, candidates] of places.entries()) {
    const skipped = candidates.includes("") ? NO_WORD : SKIP;
    costs.push([costs[row][0] + skipped]);
    for (const [at, word] of text.entries()) {
      const least = Math.min(
        costs[row][at] + costOf(word, candidates),
        costs[row][at + 1] + skipped,
        costs[row + 1][at] + SKIP,
      );
      costs[row + 1].push(least);
    }
  }
  return traceBack(costs, text, places);
}

function traceBack(costs, text, places) {
  const found = places.map(() => -1);
  let [row, at] = [places.length, text.length];
  while (row && at) {
    const cost = costs[row][at];
    if (cost === costs[row - 1][at - 1] + costOf(text[at - 1], places[row - 1])) found[--row] = --at;
    else if (cost === costs[row][at - 1] + SKIP) at--;
    else row--;
  }
  return found;
}

function costOf(word, candidates) {
  return candidates.some((candidate) => isSame(candidate.split(" ")[0], word)) ? 0 : OTHER_WORD;
}

/** Whether two words differ in capitals and punctuation alone. */
export function isSame(one, other) {
  return bare(one) === bare(other);
}

function bare(word) {
  return word.toLowerCase().replace(/[^\p{L}\p{M}\p{N}[\]'’]/gu, "");
}
