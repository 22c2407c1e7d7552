export interface GraphQLRequest {
  query: string;
  operationName?: string | null;
  variables?: unknown;
}

export interface GraphQLAnswer {
  data?: Record<string, unknown> | null;
  errors?: { message: string }[];
}

const ANSWER = "application/graphql-response+json, application/json;q=0.9";

/** Sends one request; `accept` is `text/event-stream` for a subscription. */
export function post(
  request: GraphQLRequest,
  headers: Record<string, string> = {},
  { accept = ANSWER, signal }: { accept?: string; signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch("/graphql", {
    method: "POST",
    headers: { Accept: accept, "Content-Type": "application/json", ...headers },
    body: JSON.stringify(request),
    credentials: "omit",
    signal: signal ?? null,
  });
}

export async function read(response: Response): Promise<GraphQLAnswer> {
  try {
    return (await response.json()) as GraphQLAnswer;
  } catch {
    return { errors: [{ message: `The gateway answered ${response.status} without a readable body.` }] };
  }
}

export function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}
