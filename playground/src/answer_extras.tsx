import { useGraphiQL } from "@graphiql/react";

import { namedStrings, recoveryCodesIn } from "./answers";
import { CopyButton } from "./copy_button";

function dataOf(response: string | null | undefined): unknown {
  try {
    return (JSON.parse(response || "{}") as { data?: unknown }).data;
  } catch {
    return undefined;
  }
}

function QrPicture({ svg }: { svg: string }) {
  // SECURITY: drawn by an <img>, where an SVG can run no script and load nothing, never as markup of this page.
  const source = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  return <img className="qr" src={source} alt="QR code: scan it with your authenticator app" />;
}

function RecoveryCodes({ codes }: { codes: string[] }) {
  const file = `data:text/plain;charset=utf-8,${encodeURIComponent(codes.join("\n") + "\n")}`;
  return (
    <p>
      {codes.length} recovery codes, shown only now.{" "}
      <a className="button" href={file} download="gatehouse-recovery-codes.txt">
        Download as text file
      </a>
    </p>
  );
}

/** What of the open tab's answer is more than text: a picture, a file, a link, a key to copy. */
export function AnswerExtras() {
  const data = dataOf(useGraphiQL(({ tabs, activeTabIndex }) => tabs[activeTabIndex]?.response));
  const { qrSvg, authorizationUrl, key } = namedStrings(data);
  const codes = recoveryCodesIn(data);
  const apiKey = key?.startsWith("gate_") ? key : null;
  if (!qrSvg && !authorizationUrl && !apiKey && !codes) return null;
  return (
    <section className="extras" aria-label="From this answer">
      {qrSvg && <QrPicture svg={qrSvg} />}
      {codes && <RecoveryCodes codes={codes} />}
      {authorizationUrl?.startsWith("http") && <a href={authorizationUrl}>Go on at the provider</a>}
      {apiKey && (
        <p>
          The key, shown only now. <CopyButton text={apiKey} label="Copy the key" />
        </p>
      )}
    </section>
  );
}
