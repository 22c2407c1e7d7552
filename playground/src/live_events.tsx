import { useState } from "react";

import { useCell } from "./cell";
import { useLiveValues } from "./live_values";
import { refuseToken, session } from "./session";
import { timeOfDay } from "./times";

interface SecurityEvent {
  id: string;
  kind: string;
  at: string;
  ipAddress: string | null;
}

const SECURITY_EVENTS = "subscription { securityEvents { id kind at ipAddress } }";
const SESSION_ENDED = "subscription { sessionEnded { reason } }";
const SHOWN = 30;

function inWords(kind: string): string {
  const words = kind.toLowerCase().replaceAll("_", " ").replace("api", "API");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function endSession(_value: unknown, token: string): void {
  refuseToken(token);
}

/** Drops the session within a second of its end, wherever it was ended. */
export function SessionWatch() {
  useLiveValues(SESSION_ENDED, endSession);
  return null;
}

/** What happens to the account, as it happens. */
export function LiveEvents() {
  const [events, setEvents] = useState<readonly SecurityEvent[]>([]);
  const [add] = useState(() => (value: unknown) => {
    setEvents((earlier) => [value as SecurityEvent, ...earlier].slice(0, SHOWN));
  });
  useLiveValues(SECURITY_EVENTS, add);
  if (!useCell(session)) return null;
  return (
    <section className="pane" aria-labelledby="live">
      <h2 id="live">Live events</h2>
      {events.length === 0 && <p className="quiet">Listening: what happens to the account shows up here.</p>}
      <ol className="events" aria-live="polite">
        {events.map((event) => (
          <li key={event.id}>
            <time className="quiet" dateTime={event.at}>
              {timeOfDay(event.at)}
            </time>
            <span title={event.ipAddress ? `from ${event.ipAddress}` : ""}>{inWords(event.kind)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
