import { DOC_EXPLORER_PLUGIN, DocExplorerStore } from "@graphiql/plugin-doc-explorer";
import { GraphiQLProvider, useGraphiQL } from "@graphiql/react";
import { GraphiQL, GraphiQLInterface } from "graphiql";
import type { GraphQLSchema } from "graphql";
import { useEffect, useMemo } from "react";

import { takeFromAddress } from "./address";
import { AnswerExtras } from "./answer_extras";
import { fetcher } from "./fetcher";
import { LiveEvents, SessionWatch } from "./live_events";
import { MailPane } from "./mail_pane";
import { editorTexts, useFilledPlaceholders, useShowTab, useTabInSight, useWrappedLines } from "./open_tabs";
import { hasField, servedTabs } from "./schema";
import { SessionBar } from "./session_bar";
import { layoutStorage } from "./storage";
import type { Tab } from "./tabs";
import { operationOf } from "./tabs";
import { Walk } from "./walk";

const PLUGINS = [DOC_EXPLORER_PLUGIN];

/** Opens what a mailed link asks for, both when the page starts and when such a link is followed within it. */
function useAddress(served: readonly Tab[]): void {
  const show = useShowTab();
  const isReady = useGraphiQL(({ queryEditor, variableEditor }) => Boolean(queryEditor && variableEditor));
  useEffect(() => {
    if (!isReady) return;
    function follow(): void {
      const operation = takeFromAddress();
      const tab = served.find((candidate) => operationOf(candidate) === operation);
      if (tab) show(tab);
    }
    follow();
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  });
}

function Page({ schema, tabs }: { schema: GraphQLSchema | null; tabs: readonly Tab[] }) {
  useWrappedLines();
  useTabInSight(tabs);
  useFilledPlaceholders(tabs);
  useAddress(tabs);
  return (
    <>
      <SessionBar canSignOutEverywhere={hasField(schema, "mutation", "signOutEverywhere")} />
      <main className="page">
        <GraphiQLInterface showPersistHeadersSettings={false}>
          <GraphiQL.Logo>
            <></>
          </GraphiQL.Logo>
          <GraphiQL.Footer>
            <AnswerExtras />
          </GraphiQL.Footer>
        </GraphiQLInterface>
        <aside className="side" aria-label="Walk-through and mails">
          <Walk tabs={tabs} />
          <MailPane tabs={tabs} />
          {hasField(schema, "subscription", "securityEvents") && <LiveEvents />}
          {hasField(schema, "subscription", "sessionEnded") && <SessionWatch />}
        </aside>
      </main>
    </>
  );
}

/** GraphiQL with the walk-through, the session bar and the panes around it. */
export function Playground({ schema }: { schema: GraphQLSchema | null }) {
  const tabs = useMemo(() => servedTabs(schema), [schema]);
  const first = tabs.filter((tab) => tab.group === tabs[0]?.group).map(editorTexts);
  return (
    <GraphiQLProvider
      fetcher={fetcher}
      storage={layoutStorage}
      defaultTabs={first}
      initialVariables={first[0]?.variables ?? ""}
      plugins={PLUGINS}
      referencePlugin={DOC_EXPLORER_PLUGIN}
      inputValueDeprecation
    >
      <DocExplorerStore>
        <Page schema={schema} tabs={tabs} />
      </DocExplorerStore>
    </GraphiQLProvider>
  );
}
