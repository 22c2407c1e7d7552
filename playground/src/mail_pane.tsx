import { CopyButton } from "./copy_button";
import { useMailedCode } from "./open_tabs";
import type { Mail } from "./outbox";
import { useOutbox } from "./outbox";
import type { Tab } from "./tabs";
import { timeOfDay } from "./times";

const CODE_LINE = /^\d{6}$/m;
const LINK_LINE = /^https?:\/\/\S+$/m;

function Line({ text }: { text: string }) {
  if (!LINK_LINE.test(text)) return <>{text + "\n"}</>;
  const isOurs = new URL(text).origin === window.location.origin;
  return (
    <>
      <a href={text} {...(isOurs ? {} : { target: "_blank", rel: "noreferrer" })}>
        {text}
      </a>
      {"\n"}
    </>
  );
}

function Letter({ mail, onUse }: { mail: Mail; onUse: (code: string) => void }) {
  const code = CODE_LINE.exec(mail.text)?.[0];
  return (
    <article className="mail">
      <h3>{mail.subject}</h3>
      <p className="quiet">
        to {mail.to}, <time dateTime={mail.sentAt}>{timeOfDay(mail.sentAt)}</time>
      </p>
      {code && (
        <p className="code">
          <strong>{code}</strong>
          <CopyButton text={code} label="Copy" />
          <button type="button" onClick={() => onUse(code)}>
            Use it
          </button>
        </p>
      )}
      <details open={LINK_LINE.test(mail.text)}>
        <summary>Text</summary>
        <pre>
          {mail.text.trim().split("\n").map((line, index) => (
            <Line key={index} text={line} />
          ))}
        </pre>
      </details>
    </article>
  );
}

/** The mails that the gateway would have sent, as they arrive. Not there where it sends real ones. */
export function MailPane({ tabs }: { tabs: readonly Tab[] }) {
  const mails = useOutbox();
  const fillIn = useMailedCode(tabs);
  if (!mails) return null;
  return (
    <section className="pane mails" aria-labelledby="mails">
      <h2 id="mails">Mails</h2>
      <p className="quiet">
        {mails.length > 0
          ? "In development nothing leaves this machine."
          : "None yet: what the gateway mails shows up here."}
      </p>
      <div aria-live="polite" aria-relevant="additions">
        {mails.map((mail) => (
          <Letter key={mail.sentAt + mail.to + mail.subject} mail={mail} onUse={fillIn} />
        ))}
      </div>
    </section>
  );
}
