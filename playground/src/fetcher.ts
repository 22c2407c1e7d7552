import type { Fetcher } from "@graphiql/toolkit";
import type { OperationDefinitionNode } from "graphql";
import { getOperationAST, parse } from "graphql";

import { succeeded } from "./answers";
import { Cell } from "./cell";
import { subscribe } from "./event_stream";
import type { GraphQLAnswer, GraphQLRequest } from "./gateway";
import { bearer, post, read } from "./gateway";
import { learn } from "./placeholders";
import { keepSessionOf, refuseToken, session } from "./session";

/** The operations that have worked since the page was opened, by name. */
export const worked = new Cell<ReadonlySet<string>>(new Set());

type Headers = Record<string, string>;

function setsAuthorization(headers: Headers): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
}

/** The token to send: none for introspection, so that a spent session doesn't hide the schema. */
function tokenFor(request: GraphQLRequest, headers: Headers): string | null {
  if (setsAuthorization(headers) || request.operationName === "IntrospectionQuery") return null;
  return session.get()?.token ?? null;
}

function note({ operationName }: GraphQLRequest, { data, errors }: GraphQLAnswer): void {
  learn(data);
  keepSessionOf(data);
  if (operationName && !errors && succeeded(data)) worked.set(new Set(worked.get()).add(operationName));
}

async function answered(request: GraphQLRequest, headers: Headers, token: string | null): Promise<GraphQLAnswer> {
  const response = await post(request, headers);
  if (response.status === 401 && token) refuseToken(token);
  const answer = await read(response);
  note(request, answer);
  return answer;
}

/**
 * An iterable that stops at once: GraphiQL ends a subscription with `return()`, and a bare generator would answer that
 * only after its next event.
 */
function streamed(request: GraphQLRequest, headers: Headers): AsyncIterableIterator<GraphQLAnswer> {
  const abort = new AbortController();
  const answers = subscribe(request, headers, abort.signal);
  const end = { done: true, value: undefined } as const;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => answers.next().catch((error: unknown) => (abort.signal.aborted ? end : Promise.reject(error))),
    async return() {
      abort.abort();
      return end;
    },
  };
}

/** The operation to run. GraphiQL's own word for it lags behind by a moment after a change of tab. */
function operationIn({ query, operationName }: GraphQLRequest): OperationDefinitionNode | null {
  try {
    const document = parse(query);
    return getOperationAST(document) ?? getOperationAST(document, operationName) ?? null;
  } catch {
    return null;
  }
}

/** GraphiQL's way to the gateway: adds the session, and learns from every answer. */
export const fetcher: Fetcher = (params, options) => {
  const operation = operationIn(params);
  const request: GraphQLRequest = { ...params, operationName: operation?.name?.value ?? null };
  const typed = (options?.headers ?? {}) as Headers;
  const token = tokenFor(request, typed);
  const headers = token ? { ...typed, ...bearer(token) } : typed;
  const answer =
    operation?.operation === "subscription" ? streamed(request, headers) : answered(request, headers, token);
  // GraphiQL's types ask for graphql-js errors, but it only prints what it is given.
  return answer as ReturnType<Fetcher>;
};
