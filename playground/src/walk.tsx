import { useCell } from "./cell";
import { worked } from "./fetcher";
import { useOpenTab, useShowTab } from "./open_tabs";
import type { Tab } from "./tabs";
import { operationOf } from "./tabs";

function Step({ tab, isOpen }: { tab: Tab; isOpen: boolean }) {
  const show = useShowTab();
  const isDone = useCell(worked).has(operationOf(tab));
  return (
    <li>
      <button type="button" className="step" aria-current={isOpen} title={tab.about} onClick={() => show(tab)}>
        {tab.title}
        {isDone && <span className="done" role="img" aria-label="done" />}
      </button>
    </li>
  );
}

/** Everything that this gateway serves, in the order in which a person would try it. */
export function Walk({ tabs }: { tabs: readonly Tab[] }) {
  const open = useOpenTab(tabs);
  const groups = Object.entries(Object.groupBy(tabs, (tab) => tab.group));
  return (
    <nav className="pane" aria-labelledby="walk">
      <h2 id="walk">Try it</h2>
      {groups.map(([group, steps = []], index) => (
        <details key={group} open={open ? steps.includes(open) : index === 0}>
          <summary>{group}</summary>
          <ol>
            {steps.map((tab) => (
              <Step key={tab.title} tab={tab} isOpen={tab === open} />
            ))}
          </ol>
        </details>
      ))}
    </nav>
  );
}
