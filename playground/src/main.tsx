import "graphiql/setup-workers/vite";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "graphiql/graphiql.css";
import "./style.css";

import { createRoot } from "react-dom/client";

import { Playground } from "./playground";
import { loadSchema } from "./schema";
import { checkSession } from "./session";

const root = createRoot(document.getElementById("playground") as HTMLElement);

async function start(): Promise<void> {
  root.render(<p className="wait">Reading the schema…</p>);
  try {
    const [schema] = await Promise.all([loadSchema(), checkSession()]);
    root.render(<Playground schema={schema} />);
  } catch {
    root.render(
      <p className="wait" role="alert">
        The gateway doesn’t answer. <button onClick={() => void start()}>Try again</button>
      </p>,
    );
  }
}

void start();
