const KEPT = /^graphiql:(theme|visiblePlugin|\w+Flex)$/;

function keptKeys(): string[] {
  return Object.keys(localStorage).filter((key) => KEPT.test(key));
}

/**
 * Where GraphiQL keeps things between visits: its theme and layout.
 *
 * SECURITY: it would also keep tabs, with the passwords and tokens in their variables. Those stay in memory.
 */
export const layoutStorage = {
  get length(): number {
    return keptKeys().length;
  },
  getItem: (key: string): string | null => localStorage.getItem(key),
  setItem: (key: string, value: string): void => {
    if (KEPT.test(key)) localStorage.setItem(key, value);
  },
  removeItem: (key: string): void => localStorage.removeItem(key),
  clear: (): void => {
    for (const key of keptKeys()) localStorage.removeItem(key);
  },
};
