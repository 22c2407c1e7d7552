import { sessionIn } from "./answers";
import { Cell } from "./cell";
import { bearer, post, read } from "./gateway";

export interface Session {
  token: string;
  expiresAt: string;
  email: string | null;
}

// SECURITY: the token lives in sessionStorage, so it ends with this browser tab and no other tab reads it.
const STORAGE_KEY = "gatehouse.session";

function stored(): Session | null {
  const text = sessionStorage.getItem(STORAGE_KEY);
  return text ? (JSON.parse(text) as Session) : null;
}

export const session = new Cell<Session | null>(stored());

/** What the page last had to say about the session, for the status line. */
export const notice = new Cell("");

function store(next: Session): void {
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(next));
  session.set(next);
}

/** Drops the token here; the gateway is not told, because session tokens end by time or for all at once. */
export function forgetSession(why: string): void {
  sessionStorage.removeItem(STORAGE_KEY);
  session.set(null);
  notice.set(why);
}

/** Drops `token` after a 401, unless another one has taken its place meanwhile. */
export function refuseToken(token: string): void {
  if (session.get()?.token === token) forgetSession("The session is not accepted any more. Sign in again.");
}

/** Keeps the session that an answer starts, if it starts one. */
export function keepSessionOf(data: unknown): void {
  const started = sessionIn(data);
  if (!started) return;
  store({ ...started, email: null });
  notice.set("");
  void checkSession();
}

/** Asks the gateway whose session this is, and forgets it where it is refused. */
export async function checkSession(): Promise<void> {
  const asked = session.get();
  if (!asked) return;
  const response = await post({ query: "{ viewer { email } }" }, bearer(asked.token));
  if (response.status === 401) return refuseToken(asked.token);
  const { data } = await read(response);
  const email = (data?.["viewer"] as { email?: string } | null | undefined)?.email ?? null;
  if (session.get()?.token === asked.token) store({ ...asked, email });
}

/** Ends every session of the account but the one that this page gets in return. */
export async function signOutEverywhere(): Promise<void> {
  const asked = session.get();
  if (!asked) return;
  const query = `mutation {
    signOutEverywhere { ... on SessionStarted { token expiresAt } ... on UserError { message } }
  }`;
  const response = await post({ query }, bearer(asked.token));
  if (response.status === 401) return refuseToken(asked.token);
  const { data, errors } = await read(response);
  keepSessionOf(data);
  const refused = errors?.[0] ?? (data?.["signOutEverywhere"] as { message?: string } | undefined);
  notice.set(refused?.message ?? "Every other session of this account has ended.");
}
