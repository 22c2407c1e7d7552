import { namedStrings } from "./answers";
import { Cell } from "./cell";

const HANDLE_KEY = "gatehouse.socialLoginHandle";
const PLACEHOLDER = /\{([\w.]+)\}/g;

function handleFromBefore(): Record<string, string> {
  const handle = sessionStorage.getItem(HANDLE_KEY);
  return handle ? { handle } : {};
}

/** What the answers so far have said, for the placeholders of the tabs. Lives as long as the page does. */
export const known = new Cell<Record<string, string>>({ "signUp.email": "ada@example.com", ...handleFromBefore() });

const everFilledIn = new Set<string>();

/** Remembers an answer. The handle of a social login also outlives the way to the provider and back. */
export function learn(data: unknown): void {
  const strings = namedStrings(data);
  if (strings["handle"]) sessionStorage.setItem(HANDLE_KEY, strings["handle"]);
  known.set({ ...known.get(), ...strings });
}

/** Whether a person left the value alone: it is empty, still a placeholder, or of an earlier fill. */
function isOurs(value: unknown, template: string): boolean {
  return value === undefined || value === "" || value === template || everFilledIn.has(String(value));
}

function fillString(template: string, current: unknown, values: Record<string, string>, overwrite: boolean): unknown {
  const text = template.replace(PLACEHOLDER, (placeholder, name: string) => values[name] ?? placeholder);
  if (text === template || !(overwrite || isOurs(current, template))) return current;
  everFilledIn.add(text);
  return text;
}

/** Fills the placeholders of `template` into `current`, where a person's own values stay unless told to overwrite. */
function fill(template: unknown, current: unknown, values: Record<string, string>, overwrite: boolean): unknown {
  if (typeof template === "string") return fillString(template, current, values, overwrite);
  if (typeof template !== "object" || template === null) return current;
  if (typeof current !== "object" || current === null) return current;
  const filled: object = Array.isArray(current) ? [...current] : { ...current };
  for (const [key, inner] of Object.entries(template)) {
    const value = fill(inner, (current as Record<string, unknown>)[key], values, overwrite);
    if (value !== undefined) (filled as Record<string, unknown>)[key] = value;
  }
  return filled;
}

/** `text`, the JSON in an editor, with the placeholders of `template` filled in. What isn't JSON stays as it is. */
export function fillText(template: object, text: string, values: Record<string, string>, overwrite = false): string {
  try {
    const current: unknown = JSON.parse(text || "{}");
    const filled = fill(template, current, values, overwrite);
    return JSON.stringify(filled) === JSON.stringify(current) ? text : JSON.stringify(filled, null, 2);
  } catch {
    return text;
  }
}
