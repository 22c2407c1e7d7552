// What every client needs beside its library: node SCRIPT URL EMAIL.
export const [url, email] = process.argv.slice(2);
export const password = 'a long enough passphrase';
export const endpoint = `${url}/graphql`;

/** The six digits in the newest mail to the address. */
export async function mailedCode() {
  const mails = await (await fetch(`${url}/outbox`)).json();
  return mails.find(({ to }) => to === email).text.match(/^[0-9]{6}$/m)[0];
}

/** The value of a mutation's union, which must be of this type. */
export function expect(typename, value) {
  if (value?.__typename !== typename) throw new Error(`wanted ${typename}, got ${JSON.stringify(value)}`);
  return value;
}

/** Tells the test what came out. */
export function finish(result) {
  console.log(JSON.stringify(result));
  process.exit(0);
}
