import { useEffect, useSyncExternalStore } from "react";

import { useCell } from "./cell";
import { subscribe } from "./event_stream";
import { bearer } from "./gateway";
import { session } from "./session";

const RETRY_MILLISECONDS = 3000;

function onVisibilityChange(listener: () => void): () => void {
  document.addEventListener("visibilitychange", listener);
  return () => document.removeEventListener("visibilitychange", listener);
}

function useIsSeen(): boolean {
  return useSyncExternalStore(onVisibilityChange, () => document.visibilityState === "visible");
}

/** Hands on the root values of a subscription until aborted or refused; a broken connection is opened anew. */
async function follow(query: string, token: string, signal: AbortSignal, onValue: (value: unknown) => void) {
  while (!signal.aborted) {
    try {
      for await (const { data, errors } of subscribe({ query }, bearer(token), signal)) {
        if (errors) return;
        Object.values(data ?? {}).forEach(onValue);
      }
    } catch {
      // The gateway went away: the next round asks again.
    }
    await new Promise((resume) => window.setTimeout(resume, RETRY_MILLISECONDS));
  }
}

/**
 * Follows a subscription of the signed-in account. `onValue` also gets the token that was listened with.
 *
 * Only while the page is seen: a browser opens six connections to one origin over all its tabs, and each stream
 * holds one of them.
 */
export function useLiveValues(query: string, onValue: (value: unknown, token: string) => void): void {
  const token = useCell(session)?.token;
  const isSeen = useIsSeen();
  useEffect(() => {
    if (!token || !isSeen) return;
    const abort = new AbortController();
    void follow(query, token, abort.signal, (value) => onValue(value, token));
    return () => abort.abort();
  }, [query, token, isSeen, onValue]);
}
