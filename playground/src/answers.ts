type Visit = (value: object, name: string) => void;

/** Calls `visit` for every object in an answer, with the name of the field that holds it. */
function eachObject(value: unknown, visit: Visit, name = ""): void {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) visit(value, name);
  for (const [key, inner] of Object.entries(value)) eachObject(inner, visit, Array.isArray(value) ? name : key);
}

/** The last session that an answer starts, wherever it stands: `logIn`, `AccountSecured.session` and so on. */
export function sessionIn(data: unknown): { token: string; expiresAt: string } | null {
  let found: { token: string; expiresAt: string } | null = null;
  eachObject(data, (object) => {
    const { token, expiresAt } = object as Record<string, unknown>;
    if (typeof token === "string" && typeof expiresAt === "string") found = { token, expiresAt };
  });
  return found;
}

/** The strings of an answer by field (`signUpToken`) and by field of a field (`apiKey.id`). */
export function namedStrings(data: unknown): Record<string, string> {
  const strings: Record<string, string> = {};
  eachObject(data, (object, name) => {
    for (const [key, value] of Object.entries(object)) {
      if (typeof value === "string") strings[key] = strings[`${name}.${key}`] = value;
    }
  });
  return strings;
}

/** The root fields of an answer that came as asked: neither an error nor one of the contract's refusals. */
export function succeeded(data: Record<string, unknown> | null | undefined): boolean {
  const roots = Object.values(data ?? {});
  return roots.length > 0 && roots.every((root) => root !== null && !Object.hasOwn(Object(root), "code"));
}

export function recoveryCodesIn(data: unknown): string[] | null {
  let codes: string[] | null = null;
  eachObject(data, (object) => {
    const { recoveryCodes } = object as Record<string, unknown>;
    if (Array.isArray(recoveryCodes)) codes = recoveryCodes.map(String);
  });
  return codes;
}
