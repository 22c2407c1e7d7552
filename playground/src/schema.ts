import type { DocumentNode, GraphQLSchema, IntrospectionQuery } from "graphql";
import {
  TypeInfo,
  buildClientSchema,
  getIntrospectionQuery,
  getOperationAST,
  parse,
  print,
  validate,
  visit,
  visitWithTypeInfo,
} from "graphql";

import { post, read } from "./gateway";
import type { Tab } from "./tabs";
import { TABS } from "./tabs";

/** The served schema, or null where the gateway doesn't tell it. */
export async function loadSchema(): Promise<GraphQLSchema | null> {
  const response = await post({ query: getIntrospectionQuery(), operationName: "IntrospectionQuery" });
  const { data } = await read(response);
  return data ? buildClientSchema(data as unknown as IntrospectionQuery) : null;
}

export function hasField(schema: GraphQLSchema | null, type: "mutation" | "subscription", field: string): boolean {
  const root = type === "mutation" ? schema?.getMutationType() : schema?.getSubscriptionType();
  return root?.getFields()[field] !== undefined;
}

function isRoot(schema: GraphQLSchema, type: unknown): boolean {
  return type === schema.getQueryType() || type === schema.getMutationType() || type === schema.getSubscriptionType();
}

/** The document without the result types and fields that this gateway doesn't have yet; root fields stay. */
function fitted(document: DocumentNode, schema: GraphQLSchema): DocumentNode {
  const at = new TypeInfo(schema);
  const visitor = visitWithTypeInfo(at, {
    InlineFragment: ({ typeCondition: type }) => (type && schema.getType(type.name.value) ? undefined : null),
    Field: () => (at.getFieldDef() || !at.getParentType() || isRoot(schema, at.getParentType()) ? undefined : null),
  });
  return visit(document, visitor);
}

function isServed(document: DocumentNode, schema: GraphQLSchema): boolean {
  const operation = getOperationAST(document);
  return Boolean(operation && schema.getRootType(operation.operation)) && validate(schema, document).length === 0;
}

/** The tabs whose operations the gateway serves; all of them where its schema is not told. */
export function servedTabs(schema: GraphQLSchema | null): readonly Tab[] {
  if (!schema) return TABS;
  return TABS.map((tab) => ({ ...tab, document: print(fitted(parse(tab.document), schema)) })).filter((tab) =>
    isServed(parse(tab.document), schema),
  );
}
