import { useEffect, useState } from "react";

export interface Mail {
  to: string;
  subject: string;
  text: string;
  sentAt: string;
}

const POLL_MILLISECONDS = 1500;

/** The mails of the development outbox, newest first; null where the gateway has none (`GET /outbox` is 404). */
export function useOutbox(): readonly Mail[] | null {
  const [mails, setMails] = useState<readonly Mail[] | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    const again = (): void => {
      timer = window.setTimeout(() => void poll().catch(again), POLL_MILLISECONDS);
    };
    async function poll(): Promise<void> {
      if (document.visibilityState === "hidden") return again();
      const response = await fetch("/outbox", { credentials: "omit", signal: abort.signal });
      if (response.status === 404) return setMails(null);
      if (response.ok) setMails((await response.json()) as Mail[]);
      again();
    }
    void poll().catch(again);
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, []);
  return mails;
}
