import { useState } from "react";

interface Props {
  text: string;
  label: string;
}

/** Copies a text; says so on the button itself. Without clipboard access (plain http) it says that instead. */
export function CopyButton({ text, label }: Props) {
  const [outcome, setOutcome] = useState("");
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      setOutcome("Copied");
    } catch {
      setOutcome("No clipboard here");
    }
  }
  return (
    <button type="button" onClick={() => void copy()} onBlur={() => setOutcome("")} aria-live="polite">
      {outcome || label}
    </button>
  );
}
