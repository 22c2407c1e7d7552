import type { GraphQLAnswer, GraphQLRequest } from "./gateway";
import { post, read } from "./gateway";

interface ServerSentEvent {
  event: string;
  data: string;
}

function parsed(block: string): ServerSentEvent {
  const message: ServerSentEvent = { event: "message", data: "" };
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) message.event = line.slice(6).trim();
    if (line.startsWith("data:")) message.data += line.slice(5).trim();
  }
  return message;
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop() ?? "";
    yield* blocks.map(parsed);
  }
}

/** A subscription over GraphQL-SSE (distinct connections): its answers, until either side ends it. */
export async function* subscribe(
  request: GraphQLRequest,
  headers: Record<string, string>,
  signal: AbortSignal,
): AsyncGenerator<GraphQLAnswer> {
  const response = await post(request, headers, { accept: "text/event-stream", signal });
  if (!response.ok || !response.body || !response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
    yield await read(response);
    return;
  }
  for await (const { event, data } of eventsOf(response.body)) {
    if (event === "complete") return;
    if (event === "next") yield JSON.parse(data) as GraphQLAnswer;
  }
}
