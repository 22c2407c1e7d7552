import { known } from "./placeholders";
import { notice } from "./session";

const TAB_OF_HASH: Record<string, string> = {
  resetToken: "ResetPassword",
  invitationToken: "AcceptFleetInvitation",
};

function tabOfHash(): string | null {
  const [name = "", token] = new URLSearchParams(window.location.hash.slice(1)).entries().next().value ?? [];
  const operation = TAB_OF_HASH[name];
  if (!operation || !token) return null;
  known.set({ ...known.get(), [name]: token });
  return operation;
}

function tabOfQuery(): string | null {
  const query = new URLSearchParams(window.location.search);
  const providerCode = query.get("code");
  const state = query.get("state");
  if (query.has("error")) notice.set(`The provider sent the browser back with “${query.get("error")}”.`);
  if (!providerCode || !state) return null;
  known.set({ ...known.get(), providerCode, state });
  return "CompleteSocialLogin";
}

/**
 * The operation that the page's address asks for: a mailed link, or the way back from a social login.
 *
 * SECURITY: what it carries is a credential, so it leaves the address bar and the history at once.
 */
export function takeFromAddress(): string | null {
  const operation = tabOfHash() ?? tabOfQuery();
  if (operation) window.history.replaceState(null, "", window.location.pathname);
  return operation;
}
