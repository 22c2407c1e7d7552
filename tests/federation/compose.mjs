// Composes subgraphs with Apollo's library: node compose.mjs NAME=FILE...
// Prints the API that clients of a router would see; ends with 1 when the subgraphs don't compose.
import { readFileSync } from 'node:fs';

import { composeServices } from '@apollo/composition';
import { parse, printSchema } from 'graphql';

const services = process.argv.slice(2).map((argument) => {
  const [name, file] = argument.split('=', 2);
  return { name, url: `http://${name}.test/graphql`, typeDefs: parse(readFileSync(file, 'utf8')) };
});

const { errors, schema, hints } = composeServices(services);
for (const error of errors ?? []) console.error(error.message);
for (const hint of hints ?? []) console.error(hint.toString());
if (errors?.length) process.exit(1);
console.log(printSchema(schema.toAPISchema().toGraphQLJSSchema()));
