// Runs every audit of the GraphQL-over-HTTP suite against a server: node run.mjs http://localhost:8000/graphql
// Ends with 1 when any audit is not ok, or when there are fewer audits than there should be.
import { serverAudits } from 'graphql-http';

const EXPECTED_AUDITS = 61;

const url = process.argv[2];
if (!url) {
  console.error('usage: node run.mjs URL');
  process.exit(2);
}

const failed = [];
const counts = { MUST: 0, SHOULD: 0, MAY: 0 };
const audits = serverAudits({ url });
for (const audit of audits) {
  const result = await audit.fn();
  if (result.status === 'ok') {
    counts[audit.name.split(' ', 1)[0]] += 1;
  } else {
    failed.push(`${audit.id} ${audit.name}: ${result.status}, ${result.reason}`);
  }
}

for (const line of failed) console.error(line);
console.log(
  `${audits.length - failed.length} of ${audits.length} audits passed ` +
    `(${counts.MUST} MUST, ${counts.SHOULD} SHOULD, ${counts.MAY} MAY)`,
);
if (audits.length < EXPECTED_AUDITS) console.error(`There should be ${EXPECTED_AUDITS} audits.`);
process.exit(failed.length === 0 && audits.length >= EXPECTED_AUDITS ? 0 : 1);
