/** What a newcomer finds in the first tabs. */

import classify from "../operations/graphiql/classify.graphql";
import classifyVariables from "../operations/graphiql/classify.json";
import createKey from "../operations/graphiql/create-key.graphql";
import createKeyVariables from "../operations/graphiql/create-key.json";
import decide from "../operations/graphiql/decide.graphql";
import decideVariables from "../operations/graphiql/decide.json";
import jobs from "../operations/graphiql/jobs.graphql";
import jobsVariables from "../operations/graphiql/jobs.json";
import viewer from "../operations/graphiql/viewer.graphql";

interface Starter {
  query: string;
  variables?: string;
}

const json = (value: unknown): string => JSON.stringify(value, null, 2);

export const starters: readonly Starter[] = [
  { query: classify, variables: json(classifyVariables) },
  { query: decide, variables: json(decideVariables) },
  { query: viewer },
  { query: jobs, variables: json(jobsVariables) },
  { query: createKey, variables: json(createKeyVariables) },
];
