import { useCell } from "./cell";
import { forgetSession, notice, session, signOutEverywhere } from "./session";
import { dayAndTime } from "./times";

function SignedIn({ canSignOutEverywhere }: { canSignOutEverywhere: boolean }) {
  const current = useCell(session);
  if (!current) return <p className="quiet">Not signed in</p>;
  return (
    <>
      <p>
        Signed in{current.email && <> as <strong>{current.email}</strong></>}
        <span className="quiet"> until {dayAndTime(current.expiresAt)}</span>
      </p>
      <button type="button" onClick={() => forgetSession("Signed out here.")}>
        Sign out
      </button>
      {canSignOutEverywhere && (
        <button type="button" title="This page gets a new session" onClick={() => void signOutEverywhere()}>
          Sign out everywhere
        </button>
      )}
    </>
  );
}

/** What this page is, and as whom it speaks to the gateway. */
export function SessionBar({ canSignOutEverywhere }: { canSignOutEverywhere: boolean }) {
  return (
    <header className="bar">
      <img src={`${import.meta.env.BASE_URL}icon.svg`} alt="" width="28" height="28" />
      <h1>
        Gatehouse playground <span className="quiet">accounts and API keys over GraphQL</span>
      </h1>
      <p role="status" className="notice">
        {useCell(notice)}
      </p>
      <SignedIn canSignOutEverywhere={canSignOutEverywhere} />
    </header>
  );
}
