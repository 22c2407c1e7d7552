import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useEffect } from "react";

import { useCell } from "./cell";
import { fillText, known } from "./placeholders";
import { notice } from "./session";
import type { Tab } from "./tabs";
import { operationOf } from "./tabs";

function asText(value: object | undefined): string {
  return value ? fillText(value, JSON.stringify(value, null, 2), known.get()) : "";
}

/** What GraphiQL's editors start with. */
export function editorTexts(tab: Tab): { query: string; variables: string; headers: string } {
  const query = `# ${tab.title}. ${tab.about}\n\n${tab.document}\n`;
  return { query, variables: asText(tab.variables), headers: asText(tab.headers) };
}

/** The served tab that is open, or undefined for one of the person's own. */
export function useOpenTab(served: readonly Tab[]): Tab | undefined {
  const operation = useGraphiQL(({ tabs, activeTabIndex }) => tabs[activeTabIndex]?.operationName);
  return served.find((tab) => operationOf(tab) === operation);
}

/** Wraps long lines in the editors, as GraphiQL does in the answer: the panes leave them little width. */
export function useWrappedLines(): void {
  const query = useGraphiQL(({ queryEditor }) => queryEditor);
  const variables = useGraphiQL(({ variableEditor }) => variableEditor);
  const headers = useGraphiQL(({ headerEditor }) => headerEditor);
  useEffect(() => {
    for (const editor of [query, variables, headers]) editor?.updateOptions({ wordWrap: "on" });
  }, [query, variables, headers]);
}

/**
 * Brings the open tab into sight, with its variables or, where it has them, its headers.
 *
 * GraphiQL keeps the choice between these two to itself, so its own button is pressed.
 */
export function useTabInSight(served: readonly Tab[]): void {
  const tab = useOpenTab(served);
  const index = useGraphiQL(({ activeTabIndex }) => activeTabIndex);
  useEffect(() => {
    document.querySelector(".graphiql-tab-active")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    const editor = tab?.headers ? "headers" : "variables";
    document.querySelector<HTMLButtonElement>(`.graphiql-editor-tools [data-name="${editor}"]`)?.click();
  }, [tab, index]);
}

/** A function that shows the tab of an operation, and adds it where it is not there yet. */
export function useShowTab(): (tab: Tab) => void {
  const open = useGraphiQL(({ tabs }) => tabs);
  const { changeTab, moveTab } = useGraphiQLActions();
  return (tab) => {
    const operationName = operationOf(tab);
    const index = open.findIndex((other) => other.operationName === operationName);
    if (index >= 0) return changeTab(index);
    const id = `${operationName}-${Date.now()}`;
    moveTab([...open, { id, hash: id, title: operationName, operationName, response: null, ...editorTexts(tab) }]);
    changeTab(open.length);
  };
}

/** Keeps the placeholders of the open tab filled as answers come in. */
export function useFilledPlaceholders(served: readonly Tab[]): void {
  const tab = useOpenTab(served);
  const values = useCell(known);
  const variables = useGraphiQL(({ variableEditor }) => variableEditor);
  const headers = useGraphiQL(({ headerEditor }) => headerEditor);
  useEffect(() => {
    if (tab?.variables && variables) variables.setValue(fillText(tab.variables, variables.getValue(), values));
    if (tab?.headers && headers) headers.setValue(fillText(tab.headers, headers.getValue(), values));
  }, [tab, values, variables, headers]);
}

function takesMailedCode(tab: Tab | undefined): boolean {
  return JSON.stringify(tab?.variables ?? null).includes("{mailedCode}");
}

/** A function that puts a mailed code into the open tab, or into the next one of the walk that takes a code. */
export function useMailedCode(served: readonly Tab[]): (code: string) => void {
  const open = useOpenTab(served);
  const show = useShowTab();
  const variables = useGraphiQL(({ variableEditor }) => variableEditor);
  return (code) => {
    const from = open ? served.indexOf(open) : 0;
    const target = [...served.slice(from), ...served].find(takesMailedCode);
    if (!target?.variables || !variables) return;
    if (target !== open) show(target);
    known.set({ ...known.get(), mailedCode: code });
    variables.setValue(fillText(target.variables, variables.getValue(), known.get(), true));
    notice.set(`The code is filled into “${target.title}”.`);
  };
}
