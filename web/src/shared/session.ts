/**
 * The API key, for as long as the browser tab lives.
 *
 * Never a cookie: the browser would send that by itself, also from a foreign page.
 */

const NAME = "classifaily.key";

export const storedKey = (): string | null => sessionStorage.getItem(NAME);

export function storeKey(key: string | null): void {
  if (key === null) sessionStorage.removeItem(NAME);
  else sessionStorage.setItem(NAME, key);
}
