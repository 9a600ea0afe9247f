/**
 * Binary search. Where a search is hot it is written out in its place.
 */

/** How many of `count` come before something, if these are the first of them: the number of the first that does not. */
export const partitionPoint = (count: number, isBefore: (index: number) => boolean): number => {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(middle)) low = middle + 1
    else high = middle
  }
  return low
}
